// controls.tsx - what can be done with the call at hand. A control that cannot be used now says why.
import { effect, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { request } from "./link.ts";
import { mine, myCall } from "./model.ts";
import type { Call, Request, StatusUpdate } from "./protocol.ts";
import { named, t } from "./strings.ts";
import { Act } from "./ui.tsx";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"] as const;
const AT_ONCE = 32;

/** The attempt whose keypad is open, and what was sent to it. */
const open = signal("");
const sent = signal("");
const trouble = signal("");
effect(() => {
  if ((myCall.value?.attempt ?? "") !== open.value) {
    open.value = "";
    sent.value = "";
    trouble.value = "";
  }
});

/** Keys are pressed faster than they are answered: those that wait go together. */
let waiting = "";
let sending = false;

async function send(key: string): Promise<void> {
  waiting += key;
  while (!sending && waiting !== "") {
    const digits = waiting.slice(0, AT_ONCE);
    waiting = waiting.slice(AT_ONCE);
    sending = true;
    const reply = await request({ type: "dtmf", digits });
    sending = false;
    if (reply.result === "ok") {
      sent.value = (sent.value + digits).slice(-AT_ONCE);
      trouble.value = "";
    } else {
      waiting = ""; // what follows an unheard key would mean something else
      trouble.value = reply.text || named("result", reply.result);
    }
  }
}

function Keypad({ why }: { why: string }) {
  const pad = useRef<HTMLDivElement>(null);
  useEffect(() => pad.current?.querySelector("button")?.focus(), []);
  const press = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      open.value = "";
    } else if (why === "" && !event.altKey && !event.ctrlKey && !event.metaKey && /^[0-9*#]$/.test(event.key)) {
      event.preventDefault();
      event.stopPropagation(); // a digit is no disposition here
      void send(event.key);
    }
  };
  return (
    <div class="tones" ref={pad} role="group" aria-label={t("keypad_title")} dir="ltr" onKeyDown={press}>
      <div class="pad">
        {KEYS.map((key) => <Act key={key} why={why} act={() => void send(key)}>{key}</Act>)}
      </div>
      <p role="status">{sent.value === "" ? t("keypad_hint") : t("keypad_sent", { digits: sent.value })}</p>
      <p class="trouble" role="alert">{trouble}</p>
    </div>
  );
}

/** Why the call cannot be touched, "" the two are talking. */
function untouchable(a: StatusUpdate, call: Call): string {
  switch (call.state) {
    case "bridged":
      return a.leg_up ? "" : t("control_no_phone");
    case "held":
      return t("control_no_phone");
    case "ending":
      return t("hang_up_ending");
    default:
      return t("control_not_talking");
  }
}

export function Controls(props: {
  call: Call;
  /** Why nothing can be asked just now, "" it can. */
  blocked: string;
  ask: (what: Request) => Promise<boolean>;
}) {
  const { call, ask } = props;
  const a = mine.value;
  if (a === undefined) {
    return null;
  }
  const why = untouchable(a, call) || props.blocked;
  const shown = open.value === call.attempt;
  return (
    <div class="controls">
      <div class="row" role="group" aria-label={t("controls")}>
        <Act letter="u" pressed={a.muted} class={a.muted ? "on" : ""} why={why}
          act={() => void ask({ type: "mute", on: !a.muted })}>
          {t("mute")}
        </Act>
        <Act letter="k" pressed={shown} class={shown ? "on" : ""} why={shown ? "" : untouchable(a, call)}
          act={() => { open.value = shown ? "" : call.attempt; }}>
          {t("keypad")}
        </Act>
        <span class="said" role="status">{a.muted ? t("muted_said") : ""}</span>
      </div>
      {shown && <Keypad why={untouchable(a, call)} />}
    </div>
  );
}
