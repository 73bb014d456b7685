// prefs.ts - what a person chose for this browser: colours, and whether single keys act (WCAG 2.1.4). Kept in localStorage.
import { effect, signal } from "@preact/signals";

export const THEMES = ["system", "light", "dark", "contrast"] as const;
export type Theme = (typeof THEMES)[number];

function read(key: string): string {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return ""; // storage switched off: the choice lasts as long as the page
  }
}

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // as above
  }
}

const kept = read("theme");
export const theme = signal<Theme>(THEMES.find((name) => name === kept) ?? "system");
export const singleKeys = signal(read("single_keys") !== "off");

effect(() => {
  document.documentElement.dataset.theme = theme.value;
  keep("theme", theme.value);
});
effect(() => keep("single_keys", singleKeys.value ? "on" : "off"));
