// chrome.mjs - Chromium with a fresh profile, and everything that must not happen on a page.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

export const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const shots = process.env.SCREENSHOTS ?? "";
const sockets = new WeakMap(); // page -> the socket it opened last

/** Everything that must not happen on this page is added to `trouble`; what is `forgiven` may stand on its console. */
export function attend(page, url, trouble, forgiven = /401 \(Unauthorized\)/) {
  page.on("pageerror", (error) => trouble.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !forgiven.test(message.text())) {
      trouble.push(`console: ${message.text()}`);
    }
  });
  page.on("dialog", (dialog) => {
    trouble.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url)) {
      trouble.push(`foreign request: ${request.url()}`);
    }
  });
}

export async function open(url, viewport = { width: 1440, height: 900 }) {
  const profile = mkdtempSync(join(tmpdir(), "page-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM,
    args: FLAGS,
    viewport,
    colorScheme: "light",
  });
  context.setDefaultTimeout(10_000);
  const trouble = [];
  const page = await context.newPage();
  page.on("websocket", (socket) => sockets.set(page, socket));
  attend(page, url, trouble);
  const close = async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { page, context, trouble, close };
}

/** A picture, when SCREENSHOTS names a folder for them. */
export async function shot(page, name) {
  if (shots !== "") {
    mkdirSync(shots, { recursive: true });
    await page.screenshot({ path: join(shots, `${name}.png`) });
  }
}

export async function numbers(page) {
  return (await page.locator(".kpi b, .cell dd").allTextContents()).join(" ");
}

/** Waits until one of the board's numbers is another one. */
export async function moved(page) {
  await page.waitForFunction(
    (old) => [...document.querySelectorAll(".kpi b, .cell dd")].map((e) => e.textContent).join(" ") !== old,
    await numbers(page),
  );
}

/** Waits until the daemon has sent the page so many more changes. */
export async function changes(page, count) {
  const isChange = (frame) => String(frame.payload).startsWith('{"type":"changes"');
  for (let n = 0; n < count; n++) {
    await sockets.get(page).waitForEvent("framereceived", { predicate: isChange });
  }
}

/** Some history for a picture; without one there is nothing to wait for. */
export async function history(page, count) {
  for (let n = 0; shots !== "" && n < count; n++) {
    await moved(page);
  }
}
