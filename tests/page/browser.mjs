// browser.mjs - the page in Chromium, against the stage (stage.c): does a person see what is there, and nothing else happen?
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { done, equal, test, truth } from "./tap.mjs";

const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const shots = process.env.SCREENSHOTS ?? "";

const stage = spawn(process.env.PAGE_STAGE, [], { stdio: ["pipe", "pipe", "inherit"] });
const scene = await new Promise((found, lost) => {
  createInterface({ input: stage.stdout }).once("line", (line) => found(JSON.parse(line)));
  stage.once("exit", (code) => lost(new Error(`the stage ended with ${code}`)));
});
const profile = mkdtempSync(join(tmpdir(), "page-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM,
  args: FLAGS,
  viewport: { width: 1440, height: 900 },
  colorScheme: "light",
});
context.setDefaultTimeout(10_000);

/** What must not happen: errors, refused content, foreign addresses. */
const trouble = [];
function watch(page) {
  page.on("pageerror", (error) => trouble.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !/401 \(Unauthorized\)/.test(message.text())) {
      trouble.push(`console: ${message.text()}`);
    }
  });
  page.on("dialog", (dialog) => {
    trouble.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(scene.url)) {
      trouble.push(`foreign request: ${request.url()}`);
    }
  });
  return page;
}

async function shot(page, name) {
  if (shots !== "") {
    mkdirSync(shots, { recursive: true });
    await page.screenshot({ path: join(shots, `${name}.png`) });
  }
}

async function numbers(page) {
  return (await page.locator(".kpi b, .cell dd").allTextContents()).join(" ");
}

const page = watch(await context.newPage());

await test("without a session the page asks for user and password", async () => {
  await page.goto(scene.url);
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await shot(page, "login");
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

await test("the numbers move by themselves", async () => {
  const before = await numbers(page);
  await page.waitForFunction(
    (old) => [...document.querySelectorAll(".kpi b, .cell dd")].map((e) => e.textContent).join(" ") !== old,
    before,
  );
  await page.waitForTimeout(2500); // for the picture: some history
  await shot(page, "board-light");
  await page.emulateMedia({ colorScheme: "dark" });
  await shot(page, "board-dark");
  await page.emulateMedia({ colorScheme: "light" });
});

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
  const before = await numbers(page);
  await page.waitForFunction(
    (old) => [...document.querySelectorAll(".kpi b, .cell dd")].map((e) => e.textContent).join(" ") !== old,
    before,
  );
});

await test("signing out ends it", async () => {
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await page.goto(`${scene.url}/enter#${scene.supervisor}`);
  await page.getByRole("alert").getByText(/has been used/).waitFor();
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

await test("hanging up asks for the disposition; typed text outlives changes; saving ends it", async () => {
  await page.getByRole("button", { name: "Hang up" }).click();
  await page.locator(".dispose").waitFor();
  await page.getByLabel("Note").fill("Wants an offer <b>by mail</b>");
  await page.waitForTimeout(1200); // changes arrive, the text stays
  equal(await page.getByLabel("Note").inputValue(), "Wants an offer <b>by mail</b>");
  await shot(page, "agent-wrapup");
  await page.emulateMedia({ colorScheme: "dark" });
  await shot(page, "agent-wrapup-dark");
  await page.emulateMedia({ colorScheme: "light" });
  await page.getByRole("button", { name: /Call back/ }).click();
  await page.getByText("Choose a time").waitFor();
  await page.getByRole("button", { name: /Sale/ }).click();
  await page.locator(".status.state-available").waitFor();
  equal(await page.locator(".dispose").count(), 0);
});

await test("no error, no refused content, no foreign address, no dialog in all of this", () => {
  equal(trouble.join("; "), "");
});

await context.close();
rmSync(profile, { recursive: true, force: true });
stage.stdin.end();
await new Promise((gone) => stage.once("exit", gone));
done();
