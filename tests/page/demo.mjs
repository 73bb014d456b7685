// demo.mjs - the page in front of the whole thing: `dialerd demo` with its simulated Asterisk and agents.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { history, moved, numbers, open, shot } from "./chrome.mjs";
import { done, equal, test, truth } from "./tap.mjs";

const SECONDS = 45;

const folder = mkdtempSync(join(tmpdir(), "demo-"));
const demo = spawn(process.env.DIALERD, ["demo", "--seconds", String(SECONDS), "--json", "--keep", folder], {
  stdio: ["ignore", "pipe", "inherit"],
});
let last = "";
const link = await new Promise((found, lost) => {
  createInterface({ input: demo.stdout }).on("line", (line) => {
    last = line;
    const at = /http:\/\/127\.0\.0\.1:\d+\/enter#[A-Za-z0-9_-]{43}/.exec(line);
    if (at !== null) {
      found(at[0]);
    }
  });
  demo.once("exit", (code) => lost(new Error(`the demo ended with ${code}`)));
});
const base = link.split("/enter")[0];
const { page, trouble, close } = await open(base, { width: 1440, height: 960 });

await test("the demo's link opens the board", async () => {
  await page.goto(link);
  await page.locator(".campaign").first().waitFor();
  await page.locator(".line.up").waitFor();
});

await test("agents come to work and calls are bridged", async () => {
  await page.waitForFunction(() => document.querySelectorAll(".agents li").length === 20, undefined, { timeout: 15_000 });
  await page.locator(".calls .call-bridged").first().waitFor({ timeout: 15_000 });
  truth((await page.locator(".agents .state-busy").count()) > 0, "nobody talks");
});

await test("the numbers move", async () => {
  await moved(page);
  await moved(page);
  await history(page, 20);
  await shot(page, "demo");
  truth(/[1-9]/.test(await numbers(page)), "all zero");
});

await test("the daemon says it is ready, and its metrics", async () => {
  const ready = await page.request.get(`${base}/readyz`);
  equal(ready.status(), 200, await ready.text());
  truth((await (await page.request.get(`${base}/metrics`)).text()).includes("web_frames_total"), "no metrics");
});

// --- a person beside the simulated ones --------------------------------------------------------

const secret = join(folder, "secret");
function ctl(...words) {
  return JSON.parse(execFileSync(process.env.DIALERCTL, ["--socket", join(folder, "ctl"), "--json", ...words], {
    encoding: "utf8",
  }));
}

await test("a new agent signs in with a password", async () => {
  writeFileSync(secret, "correct horse battery\n", { mode: 0o600 });
  const { id } = ctl("agent", "add", "nia", "--name", "Nia Berg", "--password-file", secret,
    "phone=PJSIP/agent99", "phone_enabled=on", "pbx=1");
  ctl("agent", "assign", String(id), "--campaign", "1");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("User").fill("nia");
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("user or password is wrong").waitFor();
  await page.getByLabel("Password").fill("correct horse battery");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Phone ready").waitFor();
});

await test("... works, gets a call with its card, and disposes it", async () => {
  await page.getByRole("button", { name: "Start work" }).click();
  await page.locator(".status.state-available, .status.state-reserved, .status.state-busy").waitFor();
  await page.locator(".call .call-bridged").waitFor({ timeout: 25_000 });
  await page.locator(".fields dt").first().waitFor();
  await shot(page, "demo-agent");
  await page.getByRole("button", { name: "Hang up" }).click();
  await page.locator(".dispose").waitFor();
  await page.getByLabel("Note").fill("Said yes.");
  await page.getByRole("button", { name: /Sale/ }).click();
  await page.locator(".dispose").waitFor({ state: "detached" });
  const sold = execFileSync(process.env.DIALERCTL,
    ["--socket", join(folder, "ctl"), "--json", "export", "calls", "--format", "jsonl"], { encoding: "utf8" })
    .trim().split("\n").map((line) => JSON.parse(line)).filter((call) => call.note === "Said yes.");
  equal(sold.length, 1);
  equal(sold[0].disposition, "sale");
});

await test("no error, no refused content, no foreign address", () => equal(trouble.join("; "), ""));

await close();
const code = demo.exitCode ?? (await new Promise((gone) => demo.once("exit", gone)));
await test("the demo ends by itself, and its tables equal the witness", () => {
  equal(code, 0, "exit status:");
  const report = JSON.parse(last);
  truth(report.bridged > 5, last);
  equal(report.differences, 0, last);
});
rmSync(folder, { recursive: true, force: true });
done();
