// ui.tsx - the small parts that all screens share.
import { useComputed } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { now } from "./model.ts";
import { named } from "./strings.ts";

export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const h = Math.floor(seconds / 3600);
  const m = Math.floor((seconds % 3600) / 60);
  const s = String(seconds % 60).padStart(2, "0");
  return h > 0 ? `${h}:${String(m).padStart(2, "0")}:${s}` : `${m}:${s}`;
}

function Ticking({ since, until }: { since: number; until: number }) {
  const text = useComputed(() => clock(until > 0 ? until - now.value : now.value - since));
  return <time class="timer" aria-hidden="true">{text}</time>;
}

/** Time since (or until) a moment of the daemon's clock. Each second only its own text is renewed; another moment
 * is another clock, or it would show the old one until the next second. */
export function Timer({ since = 0, until = 0 }: { since?: number; until?: number }) {
  return <Ticking key={`${since}/${until}`} since={since} until={until} />;
}

const numbers = new Intl.NumberFormat("en");
export function count(n: number): string {
  return numbers.format(n);
}

export function share(part: number, whole: number): string {
  return whole > 0 ? `${((100 * part) / whole).toFixed(part === 0 ? 0 : 1)} %` : "–";
}

// Shape besides colour: nothing is told by colour alone.
const marks: Record<string, string> = {
  offline: "○", connecting: "◌", available: "●", reserved: "◆", busy: "▶", wrapup: "◗", break: "‖", preview: "◇",
  originating: "◌", ringing: "◆", answered: "▲",
  bridging: "◆", bridged: "▶", held: "‖", message: "▲", ending: "○", unknown: "?",
  stopped: "○", starting: "◌", running: "●", stopping: "◗", parked: "▲",
};

export function Pill({ kind, state }: { kind: "state" | "call" | "campaign"; state: string }) {
  return (
    <span class={`pill ${kind}-${state}`}>
      <span class="mark" aria-hidden="true">{marks[state] ?? "·"}</span>
      {named(kind, state)}
    </span>
  );
}

export function Panel(props: {
  title: string;
  aside?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}) {
  return (
    <section class={`panel ${props.class ?? ""}`} aria-label={props.title} tabIndex={-1}>
      <header>
        <h2>{props.title}</h2>
        {props.aside}
      </header>
      {props.children}
    </section>
  );
}

/** A button that can say why it does nothing just now. It keeps the focus then, and is read out with its reason. */
export function Act(props: {
  act: () => void;
  /** Why not now, "" it can be done. */
  why?: string;
  letter?: string;
  class?: string;
  pressed?: boolean;
  children: ComponentChildren;
}) {
  const why = props.why ?? "";
  return (
    <button type="button" class={props.class ?? ""} aria-pressed={props.pressed} aria-disabled={why !== "" || undefined}
      title={why || undefined} data-key={props.letter} aria-keyshortcuts={props.letter && `Alt+${props.letter}`}
      onClick={() => {
        if (why === "") {
          props.act();
        }
      }}>
      {props.children}
      {props.letter !== undefined && <kbd aria-hidden="true">{props.letter}</kbd>}
    </button>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

