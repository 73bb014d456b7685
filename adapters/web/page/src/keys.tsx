// keys.tsx - every act has a key: alone where nothing is typed, with Alt everywhere. `?` shows them, and the display's choices.
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { singleKeys, THEMES, theme, type Theme } from "./prefs.ts";
import { named, t, type Word } from "./strings.ts";

export interface Key {
  key: string;
  does: Word;
}
/** The sheet's lines, in order; an act is there or not by what is on the screen. */
export const KEYS: readonly Key[] = [
  { key: "a", does: "to_available" },
  { key: "b", does: "reason_break" },
  { key: "l", does: "reason_lunch" },
  { key: "m", does: "reason_meeting" },
  { key: "t", does: "reason_training" },
  { key: "x", does: "key_work" },
  { key: "h", does: "hang_up" },
  { key: "u", does: "mute" },
  { key: "k", does: "keypad" },
  { key: "c", does: "preview_dial" },
  { key: "o", does: "key_skip" },
  { key: "n", does: "key_note" },
  { key: "d", does: "dial_title" },
  { key: "s", does: "dispose_search" },
  { key: "1", does: "key_dispose" },
];

export const sheet = signal(false);

function typing(at: Element | null): boolean {
  return at instanceof HTMLTextAreaElement || at instanceof HTMLSelectElement || at instanceof HTMLInputElement;
}

function pressed(event: KeyboardEvent): void {
  const target = document.activeElement;
  if (event.ctrlKey || event.metaKey || event.isComposing || document.querySelector("dialog[open]") !== null) {
    return;
  }
  if (event.key === "Escape" && typing(target)) {
    target!.closest<HTMLElement>("section")?.focus(); // out of the text, so that single keys act
    return;
  }
  if (!event.altKey && (typing(target) || !singleKeys.value)) {
    return;
  }
  if (event.key === "?") {
    event.preventDefault();
    sheet.value = true;
    return;
  }
  const key = event.altKey ? event.code.replace(/^(Key|Digit)/, "").toLowerCase() : event.key.toLowerCase();
  const found = /^[a-z0-9]$/.test(key) ? document.querySelector<HTMLElement>(`[data-key="${key}"]`) : null;
  if (found !== null) {
    event.preventDefault();
    if (typing(found)) {
      found.focus();
    } else {
      found.click();
    }
  }
}
document.addEventListener("keydown", pressed);

// --- focus -------------------------------------------------------------------------------------

/** Where the focus is, from the inside out: when its element goes, the nearest that is still there takes it. */
let path: HTMLElement[] = [];
document.addEventListener("focusin", (event) => {
  path = [];
  for (let at = event.target as HTMLElement | null; at !== null; at = at.parentElement) {
    path.push(at);
  }
});
new MutationObserver(() => {
  if (path.length > 0 && !path[0]!.isConnected && document.activeElement === document.body) {
    const next = path.find((e) => e.isConnected && e.tabIndex === -1 && e.tagName === "SECTION") ??
      document.querySelector<HTMLElement>("main");
    path = [];
    next?.focus();
  }
}).observe(document.body, { childList: true, subtree: true });

// --- the sheet ---------------------------------------------------------------------------------

export function Sheet({ agent }: { agent: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (sheet.value) {
      dialog.current?.showModal();
    }
  }, [sheet.value]);
  if (!sheet.value) {
    return null;
  }
  return (
    <dialog ref={dialog} aria-label={t("sheet")} onClose={() => { sheet.value = false; }}>
      <h2>{t("sheet")}</h2>
      <label>
        {t("theme")}
        <select value={theme.value} onChange={(e) => { theme.value = e.currentTarget.value as Theme; }}>
          {THEMES.map((name) => <option key={name} value={name}>{named("theme", name)}</option>)}
        </select>
      </label>
      {agent && (
        <>
          <label class="check">
            <input type="checkbox" checked={singleKeys.value}
              onChange={(e) => { singleKeys.value = e.currentTarget.checked; }} />
            {t("single_keys")}
          </label>
          <p>{t("keys_hint")}</p>
          <dl class="keys">
            {KEYS.map((k) => (
              <div key={k.key}>
                <dt><kbd>{k.key === "1" ? t("key_digits") : k.key.toUpperCase()}</kbd></dt>
                <dd>{t(k.does)}</dd>
              </div>
            ))}
            <div><dt><kbd>{t("key_escape")}</kbd></dt><dd>{t("key_leave")}</dd></div>
            <div><dt><kbd>{t("key_question")}</kbd></dt><dd>{t("sheet")}</dd></div>
          </dl>
        </>
      )}
      <form method="dialog"><button class="primary">{t("close")}</button></form>
    </dialog>
  );
}
