// browser.mjs - the page in Chromium, against the stage (stage.c): does a person see what is there, and nothing else happen?
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { clean } from "./axe.mjs";
import { changes, history, moved, open, shot } from "./chrome.mjs";
import { done, equal, test, truth } from "./tap.mjs";

const stage = spawn(process.env.PAGE_STAGE, [], { stdio: ["pipe", "pipe", "inherit"] });
const scene = await new Promise((found, lost) => {
  createInterface({ input: stage.stdout }).once("line", (line) => found(JSON.parse(line)));
  stage.once("exit", (code) => lost(new Error(`the stage ended with ${code}`)));
});
const { page, trouble, close } = await open(scene.url);

await test("without a session the page asks for user and password", async () => {
  await page.goto(scene.url);
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await shot(page, "login");
  await clean(page);
});

await test("a one-time link signs in, and leaves neither address nor history", async () => {
  await page.goto(`${scene.url}/enter#${scene.supervisor}`);
  await page.locator(".campaign").first().waitFor();
  equal(page.url(), `${scene.url}/`);
  equal(await page.evaluate(() => document.cookie), "", "cookies that scripts see:");
});

await test("the board shows campaigns, agents and calls", async () => {
  equal(await page.locator(".campaign").count(), 2);
  equal(await page.locator(".agents li").count(), 19, "agents (one is offline):");
  truth((await page.locator(".calls tr").count()) > 3, "few calls");
  await page.getByText("Spring renewals").waitFor();
});

await test("what is wrong stands above it: the daemon's mode with its cause, each alarm", async () => {
  const notices = page.getByRole("status", { name: "What is wrong" });
  await notices.getByText("Dialing goes on. the store cannot take the claim").waitFor();
  await notices.getByText("DLR-STORE-AWAY").waitFor();
});

await test("the numbers move by themselves", async () => {
  await moved(page);
  await history(page, 10);
  await shot(page, "board-light");
  await page.emulateMedia({ colorScheme: "dark" });
  await shot(page, "board-dark");
  await page.emulateMedia({ colorScheme: "light" });
});

await test("why this pace: the daemon's sentence and numbers", async () => {
  await page.getByRole("button", { name: "Why this pace?" }).first().click();
  await page.locator(".why").getByText("Calls aimed at").waitFor();
  await page.locator(".why").getByText("outside hours").waitFor();
  await shot(page, "board-why");
});

await test("the wallboard: digits of 42 pixels and more, nothing cut; axe finds nothing", async () => {
  await page.getByRole("link", { name: "Wallboard" }).click();
  await page.locator(".wall .big b").first().waitFor();
  for (const width of [1440, 360]) {
    await page.setViewportSize({ width, height: 900 });
    const least = await page.evaluate(() =>
      Math.min(...[...document.querySelectorAll(".big b")].map((e) => parseFloat(getComputedStyle(e).fontSize))));
    truth(least >= 42, `${width} px wide: ${least} px`);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    truth(over <= 0, `${width} px wide: ${over} px too much`);
    await shot(page, `wallboard-${width}`);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  await clean(page);
  await page.getByRole("link", { name: "Back to the board" }).click();
  await page.locator(".board").waitFor();
});

await test("the board: axe finds nothing in light, dark and high contrast", () => clean(page));

await test("it fits a narrow screen", async () => {
  for (const width of [1180, 720, 360]) {
    await page.setViewportSize({ width, height: 800 });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    truth(over <= 0, `${width} px wide: ${over} px too much`);
    await shot(page, `board-${width}`);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
});

await test("when the daemon falls silent it says so, comes back and goes on", async () => {
  stage.kill("SIGSTOP");
  await page.locator(".banner").waitFor({ timeout: 15_000 });
  await shot(page, "lost");
  stage.kill("SIGCONT");
  await page.locator(".banner").waitFor({ state: "detached", timeout: 3_000 });
  await moved(page);
});

await test("signing out ends it", async () => {
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await page.goto(`${scene.url}/enter#${scene.supervisor}`);
  await page.getByRole("alert").getByText(/has been used/).waitFor();
});

await test("when the session is gone, it says so and asks to sign in", async () => {
  await page.goto(`${scene.url}/enter#${scene.second}`);
  await page.locator(".campaign").first().waitFor();
  await page.context().clearCookies();
  stage.kill("SIGSTOP");
  await page.locator(".banner").waitFor({ timeout: 15_000 });
  stage.kill("SIGCONT");
  await page.getByRole("button", { name: "Sign in" }).waitFor({ timeout: 15_000 });
  await page.getByRole("alert").getByText(/session has ended/).waitFor();
});

await test("an agent starts work and rests", async () => {
  await page.goto(`${scene.url}/enter#${scene.agent}`);
  await page.getByRole("button", { name: "Start work" }).click();
  await page.locator(".status.state-available").waitFor();
  await shot(page, "agent-available");
  await page.getByRole("button", { name: "Lunch" }).click();
  await page.locator(".status.state-break").waitFor();
  await page.getByRole("button", { name: "Available" }).click();
  await page.locator(".status.state-available").waitFor();
});

await test("a manual call shows the lead, and its markup stays text", async () => {
  await page.getByLabel("Number, with country code").fill("+12125550177");
  await page.getByRole("button", { name: "Dial", exact: true }).click();
  await page.locator(".call h2").getByText("<script>window.hacked=1</script>").waitFor();
  await page.locator(".fields").getByText("<img src=x onerror='window.hacked=1'>").waitFor();
  equal(await page.locator(".fields img, .fields svg, .call script").count(), 0);
  equal(await page.evaluate(() => window.hacked), undefined);
  await shot(page, "agent-call");
});

const note = () => page.getByLabel("Note");

await test("during the call the next status is chosen, by a key; the card: axe finds nothing", async () => {
  await page.locator("body").press("l");
  await page.getByText("After this call: Lunch").waitFor();
  await clean(page);
  await page.locator("body").press("a");
  await page.getByText("After this call: Available").waitFor();
});

await test("? shows the keys, and keeps the choice of colours over a reload", async () => {
  await page.locator("body").press("?");
  await page.getByRole("dialog").waitFor();
  await shot(page, "keys");
  await clean(page);
  await page.getByLabel("Colours").selectOption("contrast");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.reload();
  await page.locator(".status.state-busy").waitFor();
  equal(await page.evaluate(() => document.documentElement.dataset.theme), "contrast");
  await shot(page, "agent-call-contrast");
  await page.getByRole("button", { name: "Keys and display" }).click();
  await page.getByLabel("Colours").selectOption("system");
  await page.keyboard.press("Escape");
});

await test("the call ends while a note is typed: text, focus and caret stay, the rest goes where it was", async () => {
  await note().fill("Wants an offer");
  await page.keyboard.press("Alt+h");
  await page.locator(".dispose").waitFor();
  await page.keyboard.type(" <b>by mail</b> 1");
  equal(await note().inputValue(), "Wants an offer <b>by mail</b> 1");
  await changes(page, 2);
  truth(await note().evaluate((e) => e === document.activeElement), "the note has lost the focus");
  await shot(page, "agent-wrapup");
  await page.emulateMedia({ colorScheme: "dark" });
  await shot(page, "agent-wrapup-dark");
  await page.emulateMedia({ colorScheme: "light" });
});

await test("a callback wants a time; note, choice and time outlive a reload: axe finds nothing", async () => {
  await page.keyboard.press("Escape");
  await page.keyboard.press("3");
  await page.getByText("Choose a time").waitFor();
  await page.getByRole("button", { name: "In a week" }).click();
  const when = await page.getByLabel("Call back at").inputValue();
  await page.reload();
  await page.locator(".dispose").waitFor();
  equal(await note().inputValue(), "Wants an offer <b>by mail</b> 1");
  equal(await page.getByLabel("Call back at").inputValue(), when);
  await shot(page, "agent-callback");
  await clean(page);
});

await test("saved is said when the daemon has it, and the draft is gone", async () => {
  await page.getByRole("button", { name: "Save: Call back" }).click();
  await page.getByText("Saved: Call back.").waitFor();
  await page.locator(".status.state-available").waitFor();
  equal(await page.locator(".dispose").count(), 0);
  equal(await page.evaluate(() => sessionStorage.getItem("drafts")), "[]");
});

await test("the agent's page fits 360 pixels and 200 % zoom, from right to left, too", async () => {
  for (const [width, dir] of [[360, "ltr"], [720, "ltr"], [360, "rtl"], [1440, "rtl"]]) {
    await page.setViewportSize({ width, height: 800 });
    await page.evaluate((way) => { document.documentElement.dir = way; }, dir);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    truth(over <= 0, `${width} px wide, ${dir}: ${over} px too much`);
    await shot(page, `agent-${width}-${dir}`);
  }
  await page.evaluate(() => { document.documentElement.dir = "ltr"; });
  await page.setViewportSize({ width: 1440, height: 900 });
});

await test("a number that is none is refused at once, the keypad types one", async () => {
  await page.getByLabel("Number, with country code").fill("12");
  await page.getByRole("button", { name: "Dial", exact: true }).click();
  await page.getByText("A number has 6 to 15 digits").waitFor();
  await page.getByRole("button", { name: "Delete the last digit" }).click();
  await page.getByRole("button", { name: "7", exact: true }).click();
  equal(await page.getByLabel("Number, with country code").inputValue(), "17");
});

const dialSeveral = async () => {
  await page.getByLabel("Number, with country code").fill("+12125550188");
  await page.getByRole("button", { name: "Dial", exact: true }).click();
  await page.getByRole("list", { name: "Leads with this number" }).waitFor();
};
const endCall = async () => {
  await page.getByRole("button", { name: "Hang up" }).click();
  await page.locator(".dispose").waitFor();
};

await test("several leads have the number: they are offered by name and list, as text, and nobody's data is shown", async () => {
  await dialSeveral();
  const buttons = page.locator(".choices button");
  equal(await buttons.count(), 3);
  equal(await page.locator(".call h2").textContent(), "+12125550188");
  equal(await page.locator(".fields").count(), 0);
  equal((await buttons.allTextContents()).join("|"),
    "<img src=x onerror='window.hacked=1'><b>spring</b>#71|Bo Bergautumn#72|Without a nameautumn#73");
  equal(await page.locator(".choices img").count(), 0);
  equal(await page.evaluate(() => window.hacked), undefined);
  await shot(page, "agent-choices");
});

await test("a choice that is refused says why, and leaves the others", async () => {
  await page.getByRole("button", { name: /Without a name/ }).click();
  await page.locator(".problem").getByText("that lead is in another call").waitFor();
  equal(await page.locator(".choices button").count(), 3);
});

await test("one is chosen with the keyboard alone; its card comes from the daemon", async () => {
  const buttons = page.locator(".choices button");
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
  await buttons.first().focus();
  await page.keyboard.press("ArrowUp");
  truth((await focused()).includes("#73"), `up from the first: ${await focused()}`);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  truth((await focused()).includes("#72"), `down twice: ${await focused()}`);
  await page.keyboard.press("Enter");
  await page.locator(".call h2").getByText("Bo <i>Berg</i>").waitFor();
  await page.locator(".fields").getByText("Bergen").waitFor();
  equal(await page.locator(".choices").count(), 0);
  equal(await page.locator(".problem").textContent(), "");
  await endCall();
  await page.getByRole("button", { name: /Sale/ }).click();
  await page.locator(".status.state-available").waitFor();
});

await test("after a call in which nobody was chosen there is nothing to choose; it can be disposed", async () => {
  await dialSeveral();
  await endCall();
  await page.getByText("none was chosen during the call").waitFor();
  equal(await page.locator(".choices").count(), 0);
  await page.getByRole("button", { name: /Sale/ }).click();
  await page.locator(".status.state-available").waitFor();
});

await test("what was refused in the wrap-up is not said any more when the wrap-up has ended by itself", async () => {
  await page.getByLabel("Number, with country code").fill("+12125550178");
  await page.getByRole("button", { name: "Dial", exact: true }).click();
  await page.getByRole("button", { name: "Hang up" }).click();
  await page.locator(".dispose").waitFor();
  await page.getByRole("button", { name: "Stop work" }).click();
  await page.locator(".problem").getByText("dispose your last call first").waitFor();
  stage.stdin.write("\n");
  await page.locator(".status.state-available").waitFor();
  equal(await page.locator(".problem").textContent(), "");
});

await test("no error, no refused content, no foreign address, no dialog in all of this", () => {
  equal(trouble.join("; "), "");
});

await close();
stage.stdin.end();
await new Promise((gone) => stage.once("exit", gone));
done();
