// person.mjs - somebody before the screen: a browser of their own, and what they see and press. By roles and words, as a person
// finds things, not by the page's markup.
import { chromium } from "playwright-core";
import { attend, FLAGS } from "./chrome.mjs";
import { base, PASSWORD } from "./stack.mjs";

let browser;
/** What must not happen on anybody's page. */
export const trouble = [];

export async function openBrowser() {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM, args: FLAGS, handleSIGHUP: false, handleSIGINT: false, handleSIGTERM: false,
  });
}

export async function closeBrowser() {
  await browser?.close();
}

/** What a cut network or a daemon that is away writes on a console. */
const AWAY = /401 \(Unauthorized\)|ERR_|WebSocket connection|503 \(Service Unavailable\)/;

export async function sitDown(who) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: "light" });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  attend(page, base, trouble, AWAY);
  await page.goto(base);
  await page.getByLabel("User").fill(who.login);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  return new Person(page, context);
}

/** A pill is a mark and a word. */
const endsIn = (word) => new RegExp(`(^|\\W)${word}$`);

class Person {
  constructor(page, context) {
    this.page = page;
    this.context = context;
  }

  /** The agent's own status, as it stands in the pill. */
  pill(word) {
    return this.page.getByRole("region", { name: "Status", exact: true }).getByRole("status").getByText(endsIn(word)).first();
  }

  /** Waits until the page says that the agent is ... */
  async is(word) {
    await this.pill(word).waitFor();
  }

  /** Waits until the call on the page is ... */
  async callIs(word) {
    await this.page.getByRole("region", { name: "Lead", exact: true }).getByText(endsIn(word)).first().waitFor();
  }

  async sees(text) {
    await this.page.getByText(text).first().waitFor();
  }

  async press(name) {
    await this.page.getByRole("button", { name, exact: typeof name === "string" }).click();
  }

  async startWork() {
    await this.sees("Phone ready");
    await this.press("Start work");
    await this.is("Available");
  }

  async dial(number) {
    await this.page.getByLabel("Number, with country code").fill(number);
    await this.press("Dial");
  }

  /** The panel that asks for the disposition. */
  get disposition() {
    return this.page.getByRole("region", { name: "How did the call end?" });
  }

  async dispose(name, note = "") {
    await this.disposition.waitFor();
    if (note !== "") {
      await this.disposition.getByLabel("Note").fill(note);
    }
    await this.disposition.getByRole("button", { name }).click();
    await this.disposition.waitFor({ state: "detached" });
  }

  /** A campaign on the board. */
  campaign(name) {
    return this.page.getByRole("article").filter({ has: this.page.getByRole("heading", { name, exact: true }) });
  }

  /** Waits until the board shows this figure of a campaign. */
  async figure(name, label, value) {
    await this.campaign(name).locator("dl > div").filter({ hasText: label }).getByText(value, { exact: true }).waitFor();
  }

  /** A reload would wipe it out. */
  async mark() {
    await this.page.evaluate(() => { window.sameDocument = true; });
  }

  async wasNotReloaded() {
    return this.page.evaluate(() => window.sameDocument === true);
  }

  async leave() {
    await this.context.close();
  }
}
