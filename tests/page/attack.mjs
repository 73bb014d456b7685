// attack.mjs - attack A13: 1000 payloads in everything the daemon sends (names, numbers, texts, card fields, error sentences), in
// Chromium, under the policy that the daemon sends. The daemon's messages are changed on their way: no store has to take them first.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { open } from "./chrome.mjs";
import { done, equal, test, truth } from "./tap.mjs";

const PAYLOADS = 1000;
const run = "window.hacked=1";
const bricks = [
  `<script>${run}</script>`, `<img src=x onerror=${run}>`, `<svg onload=${run}>`, `<svg><script>${run}</script></svg>`,
  `<iframe srcdoc="<script>parent.hacked=1</script>"></iframe>`, `javascript:${run}`, `<a href="javascript:${run}">x</a>`,
  `<body onload=${run}>`, `<details open ontoggle=${run}>`, `<input autofocus onfocus=${run}>`, `"><script>${run}</script>`,
  `' onmouseover='${run}`, `</script><script>${run}</script>`, `<!--><script>${run}</script>`, `<math><mtext></p><img src=x onerror=${run}>`,
  `{{constructor.constructor('${run}')()}}`, "${" + run + "}", `<style>@import 'http://evil.example'</style>`,
  `<link rel=stylesheet href=http://evil.example>`, `<base href=http://evil.example>`, `<meta http-equiv=refresh content=0;url=http://evil.example>`,
  `<object data=x>`, `<embed src=x>`, `<form action=http://evil.example><button>`, "\u2028" + run, "\u202e" + run, `__proto__`, `&lt;script&gt;`,
  `<img src=http://evil.example/x>`, `<template><script>${run}</script></template>`, `<noscript><img src=x onerror=${run}></noscript>`,
];
let used = 0;
function payload() {
  const n = used++;
  return n < bricks.length ? bricks[n] : bricks[n % bricks.length] + bricks[(n * 7 + Math.floor(n / bricks.length)) % bricks.length] + n;
}
const words = new Set(["name", "number", "text", "next_reason", "reason", "held", "list"]);
function poison(value) {
  for (const [key, old] of Object.entries(value)) {
    if (key === "fields" && old !== null && typeof old === "object") {
      value[key] = Object.fromEntries([0, 1, 2, 3].map(() => [payload(), payload()]));
    } else if (old !== null && typeof old === "object") {
      poison(old);
    } else if (typeof old === "string" && words.has(key)) {
      value[key] = payload();
    }
  }
  return value;
}

const stage = spawn(process.env.PAGE_STAGE, [], { stdio: ["pipe", "pipe", "inherit"] });
const scene = await new Promise((found, lost) => {
  createInterface({ input: stage.stdout }).once("line", (line) => found(JSON.parse(line)));
  stage.once("exit", (code) => lost(new Error(`the stage ended with ${code}`)));
});
const { page, trouble, close } = await open(scene.url);
await page.addInitScript(() => {
  window.violations = [];
  addEventListener("securitypolicyviolation", (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
});
await page.routeWebSocket(/\/socket$/, (socket) => {
  const server = socket.connectToServer();
  let last = null; // changes as they came
  server.onMessage((message) => {
    const heard = JSON.parse(String(message));
    last = heard.type === "changes" ? JSON.stringify({ ...heard, after: heard.seq }) : last;
    socket.send(JSON.stringify(poison(heard)));
  });
  // The same things change again, to other texts, long before the stage moves on.
  const again = setInterval(() => last !== null && socket.send(JSON.stringify(poison(JSON.parse(last)))), 25);
  for (const end of [socket, server]) {
    end.onClose(() => {
      clearInterval(again);
      void socket.close();
      void server.close();
    });
  }
  again.unref();
});

/** Nothing of what came has become anything but text. */
async function harmless() {
  const state = await page.evaluate(() => ({
    hacked: window.hacked ?? null,
    violations: window.violations,
    foreign: [...document.querySelectorAll(
      "#app script, #app img:not([src='/icon.svg']), #app iframe, #app object, #app embed, #app style, #app base, #app meta, #app form[action], body a[href^=javascript], [onerror], [onload]",
    )].map((element) => element.outerHTML.slice(0, 200)),
    scripts: [...document.scripts].filter((script) => script.src === "").length,
  }));
  equal(JSON.stringify(state), JSON.stringify({ hacked: null, violations: [], foreign: [], scripts: 0 }));
  equal(trouble.join("\n"), "", "trouble:");
}

await test("the page comes with a policy that runs nothing inline, and strings do not become markup", async () => {
  const answer = await page.request.get(scene.url);
  const policy = answer.headers()["content-security-policy"] ?? "";
  for (const part of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'",
    "require-trusted-types-for 'script'"]) {
    truth(policy.includes(part), `${part} is missing in ${policy}`);
  }
  truth(!policy.includes("unsafe"), policy);
  equal(answer.headers()["x-content-type-options"], "nosniff");
  equal(answer.headers()["x-frame-options"], "DENY");
});

await test(`A13: a supervisor's board, ${PAYLOADS} payloads: nothing runs, no report of the policy`, async () => {
  await page.goto(`${scene.url}/enter#${scene.supervisor}`);
  await page.locator(".campaign").first().waitFor();
  while (used < PAYLOADS) {
    const before = used;
    await page.waitForFunction(() => new Promise((turn) => requestAnimationFrame(() => turn(true))));
    truth(used >= before, "never");
  }
  truth((await page.locator("body").innerText()).includes("<script>"), "no payload is to be seen: the test is blind");
  await harmless();
});

await test("A13: an agent's desk and its card, likewise", async () => {
  await page.goto(`${scene.url}/enter#${scene.agent}`);
  await page.reload();
  await page.locator("#app").waitFor();
  const from = used;
  while (used < from + 100) {
    await page.waitForFunction(() => new Promise((turn) => requestAnimationFrame(() => turn(true))));
  }
  await harmless();
  console.log(`# A13: ${used} payloads, 0 ran, 0 reports`);
});

await close();
stage.stdin.end();
done();
