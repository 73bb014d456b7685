// agent.tsx - the agent's page: status, the call, the lead, the end of the call.
import { computed, effect, signal } from "@preact/signals";
import { Controls } from "./controls.tsx";
import { Dial } from "./dial.tsx";
import { draft, dropDraft, keepDraft } from "./drafts.ts";
import { link, request } from "./link.ts";
import { Preview } from "./preview.tsx";
import { campaigns, dispositions, mine, myCall, myPop, now } from "./model.ts";
import type { Disposition, Pop, Request, StatusUpdate } from "./protocol.ts";
import { named, t } from "./strings.ts";
import { Act, Empty, Panel, Pill, Timer } from "./ui.tsx";

const REASONS = [["break", "b"], ["lunch", "l"], ["meeting", "m"], ["training", "t"]] as const;

/** What was last refused, until the next thing is asked or the agent is in another state than then. */
const problem = signal("");
let askedIn = "";
effect(() => {
  if ((mine.value?.state ?? "") !== askedIn) {
    problem.value = "";
  }
});
/** Requests on their way: their buttons wait. */
const asking = signal(0);

/** Why nothing can be asked just now, "" it can. */
const blocked = computed(() =>
  link.value !== "live" ? t("no_link") : asking.value > 0 ? t("wait_reply") : "");

async function ask(what: Request): Promise<boolean> {
  asking.value++;
  problem.value = "";
  askedIn = mine.value?.state ?? "";
  const reply = await request(what);
  asking.value--;
  if (reply.result !== "ok") {
    problem.value = reply.text || named("result", reply.result);
  }
  return reply.result === "ok";
}

// --- status ------------------------------------------------------------------------------------

function StatusChoice({ a }: { a: StatusUpdate }) {
  if (a.state === "offline") {
    return (
      <Act class="primary wide" letter="x" why={blocked.value} act={async () => {
        if (await ask({ type: "agent_login" })) {
          await ask({ type: "set_status", state: "available" });
        }
      }}>
        {t("go_to_work")}
      </Act>
    );
  }
  // In a call and its wrap-up the choice is for afterwards (R5).
  const later = a.state === "preview" || a.state === "reserved" || a.state === "busy" || a.state === "wrapup";
  const state = later ? a.next : a.state;
  const reason = later ? a.next_reason : a.reason;
  const set = (to: "available" | "break", why = "") =>
    void ask({ type: "set_status", state: to, ...(why !== "" ? { reason: why } : {}) });
  return (
    <div class="choice" role="group" aria-label={later ? t("status_after") : t("status")}>
      {later && <p>{t("status_after")}</p>}
      <Act class={`full ${state === "available" ? "on good" : ""}`} pressed={state === "available"} letter="a"
        why={blocked.value} act={() => set("available")}>
        {t("to_available")}
      </Act>
      {REASONS.map(([name, letter]) => {
        const on = state === "break" && reason === name;
        return (
          <Act key={name} class={on ? "on" : ""} pressed={on} letter={letter} why={blocked.value}
            act={() => set("break", name)}>
            {named("reason", name)}
          </Act>
        );
      })}
      <Act class="quiet full" letter="x" why={blocked.value} act={() => void ask({ type: "agent_logout" })}>
        {t("leave_work")}
      </Act>
    </div>
  );
}

function Status({ a }: { a: StatusUpdate }) {
  const campaign = campaigns.get(a.campaign);
  return (
    <section class={`panel status state-${a.state}`} aria-label={t("status")} tabIndex={-1}>
      <div class="now" role="status">
        <Pill kind="state" state={a.state} />
        {a.reason !== "" && <span class="reason">{named("reason", a.reason)}</span>}
      </div>
      <Timer since={a.since} />
      <div class="facts">
        {campaign && <span>{campaign.name}</span>}
        <span class={a.phone_online ? "good" : "bad"}>
          {a.phone_online ? t("phone_on") : t("phone_off")}
        </span>
        {a.leg_up && <span>{t("leg_up")}</span>}
        {a.next !== "" && <span>{t("next_status", { 
          state: a.next === "break" && a.next_reason !== "" ? named("reason", a.next_reason) : named("state", a.next),
        })}</span>}
        {a.text !== "" && <span class="held">{a.text}</span>}
      </div>
      <StatusChoice a={a} />
      <p class="problem" role="alert">{problem}</p>
      <p class="saved" role="status">{savedNow}</p>
    </section>
  );
}

// --- the call ----------------------------------------------------------------------------------

function idle(a: StatusUpdate): string {
  switch (a.state) {
    case "offline":
      return t("no_call_offline");
    case "break":
      return t("no_call_break");
    default:
      return t("no_call_available");
  }
}

function CallCard({ a }: { a: StatusUpdate }) {
  const call = myCall.value;
  const pop = myPop.value;
  const number = pop?.number ?? call?.number;
  if (number === undefined) {
    return (
      <Panel title={t("no_call")} class="call none">
        <Empty>{a.state === "reserved" ? t("call_coming") : idle(a)}</Empty>
      </Panel>
    );
  }
  const several = pop !== undefined && pop.matches > 1;
  const name = several ? "" : pop?.name || call?.name || "";
  return (
    <section class="panel call" aria-label={t("lead")} tabIndex={-1}>
      <header>
        <div>
          <h2 dir="auto">{name || number}</h2>
          <p>
            <span class="number">{number}</span>
            {pop && pop.attempt_no > 0 && <span>{t("attempt_no", { n: pop.attempt_no })}</span>}
          </p>
        </div>
        <div class="talk">
          {call && <Pill kind="call" state={call.state} />}
          {call && <Timer since={call.since} />}
          {call && (
            <Act class="danger" letter="h" why={call.state === "ending" ? t("hang_up_ending") : blocked.value}
              act={() => void ask({ type: "hang_up" })}>
              {t("hang_up")}
            </Act>
          )}
        </div>
      </header>
      {call && <Controls call={call} blocked={blocked.value} ask={ask} />}
      {several
        ? <Choices pop={pop} live={call !== undefined} />
        : <Fields fields={pop?.fields ?? {}} />}
    </section>
  );
}

/** Up and down go through the list, besides the keys that every button has. */
function walk(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  const buttons = [...event.currentTarget.querySelectorAll("button")];
  const at = buttons.findIndex((button) => button === document.activeElement);
  if (step !== 0 && at >= 0) {
    event.preventDefault();
    buttons[(at + step + buttons.length) % buttons.length]!.focus();
  }
}

/** Nobody's data before one of them is chosen: the daemon sends the card then. */
function Choices({ pop, live }: { pop: Pop; live: boolean }) {
  if (!live) {
    return <Empty>{t("several_leads_over", { n: pop.matches })}</Empty>;
  }
  return (
    <div class="choices">
      <p>{t("several_leads", { n: pop.matches })}</p>
      <ul aria-label={t("choose_lead")} onKeyDown={walk}>
        {pop.choices.map((c) => (
          <li key={c.lead}>
            <Act why={blocked.value}
              act={() => void ask({ type: "choose_lead", attempt: pop.attempt, lead: c.lead })}>
              <b dir="auto">{c.name || t("unnamed_lead")}</b>
              <span dir="auto">{c.list}</span>
              <small>#{c.lead}</small>
            </Act>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Fields({ fields }: { fields: Record<string, string> }) {
  const names = Object.keys(fields);
  if (names.length === 0) {
    return <Empty>{t("no_fields")}</Empty>;
  }
  return (
    <dl class="fields" tabIndex={0} aria-label={t("lead_data")}>
      {names.map((name) => (
        <div key={name}>
          <dt dir="auto">{name.replace(/_/g, " ")}</dt>
          <dd dir="auto">{fields[name]}</dd>
        </div>
      ))}
    </dl>
  );
}

// --- disposition -------------------------------------------------------------------------------

const SEARCH_FROM = 10;
const SOON_MS = 20_000;
const HOUR_MS = 3_600_000;

/** Said once the daemon has it for good; until the next call. */
const saved = signal({ attempt: "", name: "" });
const savedNow = computed(() => {
  const at = mine.value?.attempt ?? "";
  const s = saved.value;
  return s.name !== "" && (at === "" || at === s.attempt) ? t("dispose_saved", { name: s.name }) : "";
});
const search = signal("");
/** The draft is no signal (typing redraws nothing): this is, for the parts that are drawn from it. */
const drafted = signal(0);

function offered(campaign: number): Disposition[] {
  return dispositions.all()
    .filter((d) => d.campaign === 0 || d.campaign === campaign)
    .sort((x, y) => x.position - y.position || x.name.localeCompare(y.name));
}

function edit(attempt: string, part: Parameters<typeof keepDraft>[1]): void {
  keepDraft(attempt, part);
  drafted.value++;
}

async function dispose(attempt: string, d: Disposition): Promise<void> {
  const { note, when } = draft(attempt);
  const callback = d.callback ? new Date(when).getTime() : 0;
  edit(attempt, { code: d.code });
  if (d.callback && !(callback > now.value)) {
    askedIn = mine.value?.state ?? "";
    problem.value = when === "" ? t("dispose_needs_time") : t("dispose_past");
    return;
  }
  if (await ask({ type: "set_disposition", attempt, code: d.code, note, ...(d.callback ? { callback } : {}) })) {
    dropDraft(attempt);
    saved.value = { attempt, name: d.name };
  }
}

/** As an input of that kind wants it, in the browser's own zone. */
function local(ms: number): string {
  const at = new Date(ms);
  return new Date(ms - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function tomorrow(): number {
  const at = new Date(now.value);
  at.setDate(at.getDate() + 1);
  return at.setHours(9, 0, 0, 0);
}

function Callback({ attempt, d }: { attempt: string; d: Disposition }) {
  void drafted.value;
  const times = [
    ["callback_hour", () => now.value + HOUR_MS],
    ["callback_tomorrow", tomorrow],
    ["callback_week", () => now.value + 7 * 24 * HOUR_MS],
  ] as const;
  return (
    <div class="callback">
      <label>
        {t("dispose_callback")}
        <input type="datetime-local" min={local(now.peek())} value={draft(attempt).when}
          onInput={(event) => edit(attempt, { when: event.currentTarget.value })} />
      </label>
      <div class="row">
        {times.map(([word, at]) => (
          <Act key={word} act={() => edit(attempt, { when: local(at()) })}>{t(word)}</Act>
        ))}
        <Act class="primary" why={blocked.value} act={() => void dispose(attempt, d)}>
          {t("dispose_save", { name: d.name })}
        </Act>
      </div>
    </div>
  );
}

function Codes({ attempt, choices }: { attempt: string; choices: Disposition[] }) {
  void drafted.value;
  const chosen = draft(attempt).code;
  const wanted = search.value.trim().toLowerCase();
  const shown = choices.filter((d) => d.name.toLowerCase().includes(wanted));
  const callback = choices.find((d) => d.callback && d.code === chosen);
  const take = (event: KeyboardEvent) => {
    if (event.key === "Enter" && wanted !== "" && shown[0] !== undefined) {
      event.preventDefault();
      void dispose(attempt, shown[0]);
    }
  };
  return (
    <>
      {choices.length === 0 && <Empty>{t("dispose_none")}</Empty>}
      {choices.length >= SEARCH_FROM && (
        <input type="search" class="search" data-key="s" aria-label={t("dispose_search")}
          placeholder={t("dispose_search")} value={search.value} maxLength={60} onKeyDown={take}
          onInput={(event) => { search.value = event.currentTarget.value; }} />
      )}
      <div class="codes" role="group" aria-label={t("dispose_choice")} onKeyDown={walk}>
        {shown.map((d, i) => (
          <Act key={d.code} letter={i < 9 ? String(i + 1) : undefined} pressed={d.code === chosen}
            class={d.code === chosen ? "on" : ""} why={blocked.value} act={() => void dispose(attempt, d)}>
            {d.name}
          </Act>
        ))}
      </div>
      {shown.length === 0 && choices.length > 0 && <Empty>{t("dispose_no_match")}</Empty>}
      {callback !== undefined && <Callback attempt={attempt} d={callback} />}
    </>
  );
}

function Left({ until }: { until: number }) {
  const soon = until - now.value < SOON_MS;
  return (
    <small class={`left ${soon ? "soon" : ""}`}>
      <Timer until={until} />
      <span class="unseen" role="status">{soon && t("dispose_soon")}</span>
    </small>
  );
}

/** From the call's begin to its disposition the note is one and the same element: hanging up takes neither text nor focus. */
function AfterCall({ a, ended }: { a: StatusUpdate; ended: boolean }) {
  const attempt = a.attempt;
  const title = ended ? t("dispose_title") : t("dispose_during");
  return (
    <section class={`panel after ${ended ? "dispose" : ""}`} aria-label={title} tabIndex={-1}>
      <header>
        <h2>{title}</h2>
        {ended && a.until > 0 && <Left until={a.until} />}
      </header>
      <label class="note" key={`note ${attempt}`}>
        {t("dispose_note")}
        <textarea rows={3} maxLength={1000} defaultValue={draft(attempt).note} dir="auto" data-key="n"
          onInput={(event) => keepDraft(attempt, { note: event.currentTarget.value })} />
      </label>
      {ended && <Codes attempt={attempt} choices={offered(myPop.value?.campaign ?? a.campaign)} />}
    </section>
  );
}
effect(() => {
  if (mine.value?.needs_disposition !== true) {
    search.value = "";
  }
});

export function Desk() {
  const a = mine.value;
  if (a === undefined) {
    return <main class="desk"><Empty>{t("loading")}</Empty></main>;
  }
  const ended = a.attempt !== "" && a.needs_disposition &&
    (a.state === "wrapup" || myCall.value === undefined);
  return (
    <main class="desk">
      <Status a={a} />
      <div class="work">
        <CallCard a={a} />
        {a.state === "preview" && <Preview a={a} why={blocked.value} ask={ask} />}
        {a.attempt !== "" && (ended || a.state === "busy") && <AfterCall a={a} ended={ended} />}
      </div>
      <Dial why={a.state !== "available" ? t("dial_only_available") : blocked.value}
        dial={(number) => ask({ type: "dial", number })} />
    </main>
  );
}
