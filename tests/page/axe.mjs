// axe.mjs - axe-core over what is on the screen, in each set of colours.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { truth } from "./tap.mjs";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function clean(page) {
  const theme = await page.evaluate(() => document.documentElement.dataset.theme);
  for (const now of ["light", "dark", "contrast"]) {
    await page.evaluate((name) => { document.documentElement.dataset.theme = name; }, now);
    await page.evaluate(source); // through the debugger: the page's own policy would refuse it, as it should
    const found = await page.evaluate(async () => (await window.axe.run()).violations
      .map((v) => `${v.id}: ${v.nodes.slice(0, 4).map((n) => `${n.target} ${n.any[0]?.message ?? ""}`).join(", ")}`));
    truth(found.length === 0, `${now}: ${found.join("\n")}`);
  }
  await page.evaluate((name) => { document.documentElement.dataset.theme = name; }, theme);
}
