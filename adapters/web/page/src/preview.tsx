// preview.tsx - a lead that is shown before it is dialed: dial it, or skip it and say why, while the time runs.
import { signal } from "@preact/signals";
import { now } from "./model.ts";
import type { Request, StatusUpdate } from "./protocol.ts";
import { t, type Word } from "./strings.ts";
import { Act, Panel, Timer } from "./ui.tsx";

const REASONS: readonly Word[] = ["skip_time", "skip_person", "skip_later", "skip_other_agent"];
const SOON_MS = 10_000;
const REASON_MAX = 60;

/** A reason in the agent's own words, for this lead only. */
const typed = signal({ attempt: "", text: "" });

interface Props {
  a: StatusUpdate;
  /** Why not now, "" it can be done. */
  why: string;
  ask: (what: Request) => Promise<boolean>;
}

function Countdown({ a }: { a: StatusUpdate }) {
  const soon = a.until - now.value < SOON_MS;
  return (
    <p class={`countdown ${soon ? "soon" : ""}`}>
      <Timer until={a.until} />
      <span>{a.dials ? t("preview_dials") : t("preview_ends")}</span>
      <span class="unseen" role="status">{soon && t("preview_soon")}</span>
    </p>
  );
}

export function Preview({ a, why, ask }: Props) {
  const own = typed.value.attempt === a.attempt ? typed.value.text : "";
  const skip = (reason: string) => void ask({ type: "preview_skip", attempt: a.attempt, reason });
  const submit = (event: Event) => {
    event.preventDefault();
    if (why === "" && own.trim() !== "") {
      skip(own.trim());
    }
  };
  return (
    <Panel title={t("preview_title")} class="preview" aside={<Countdown a={a} />}>
      <Act class="primary wide" letter="c" why={why}
        act={() => void ask({ type: "preview_dial", attempt: a.attempt })}>
        {t("preview_dial")}
      </Act>
      <div class="codes" role="group" aria-label={t("preview_skip_because")}>
        <p>{t("preview_skip_because")}</p>
        {REASONS.map((word, i) => (
          <Act key={word} letter={String(i + 1)} why={why} act={() => skip(t(word))}>{t(word)}</Act>
        ))}
      </div>
      <form class="own" onSubmit={submit}>
        <label>
          {t("preview_own_reason")}
          <input name="reason" maxLength={REASON_MAX} autocomplete="off" dir="auto" data-key="o" value={own}
            onInput={(event) => { typed.value = { attempt: a.attempt, text: event.currentTarget.value }; }} />
        </label>
        <button aria-disabled={why !== "" || own.trim() === "" || undefined}
          title={why || (own.trim() === "" ? t("preview_say_why") : undefined)}>
          {t("preview_skip")}
        </button>
      </form>
    </Panel>
  );
}
