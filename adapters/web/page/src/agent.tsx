// agent.tsx - the agent's page: status, the call, the lead, the end of the call.
import { effect, signal, useSignal } from "@preact/signals";
import { request } from "./link.ts";
import { campaigns, dispositions, mine, myCall, myPop } from "./model.ts";
import type { Disposition, Pop, Request, StatusUpdate } from "./protocol.ts";
import { named, t } from "./strings.ts";
import { Empty, Panel, Pill, Timer } from "./ui.tsx";

const REASONS = ["break", "lunch", "meeting", "training"] as const;

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
      <button class="primary wide" onClick={async () => {
        if (await ask({ type: "agent_login" })) {
          await ask({ type: "set_status", state: "available" });
        }
      }}>
        {t("go_to_work")}
      </button>
    );
  }
  const resting = a.state === "break";
  return (
    <div class="choice" role="group" aria-label={t("status")}>
      <button class={a.state === "available" ? "on good" : ""} aria-pressed={a.state === "available"}
        onClick={() => void ask({ type: "set_status", state: "available" })}>
        {t("to_available")}
      </button>
      {REASONS.map((reason) => (
        <button key={reason} class={resting && a.reason === reason ? "on" : ""}
          aria-pressed={resting && a.reason === reason}
          onClick={() => void ask({ type: "set_status", state: "break", reason })}>
          {named("reason", reason)}
        </button>
      ))}
      <button class="quiet" onClick={() => void ask({ type: "agent_logout" })}>
        {t("leave_work")}
      </button>
    </div>
  );
}

function Status({ a }: { a: StatusUpdate }) {
  const campaign = campaigns.get(a.campaign);
  return (
    <section class={`panel status state-${a.state}`} aria-label={t("status")}>
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
        {a.next !== "" && <span>{t("next_status", { state: named("state", a.next) })}</span>}
        {a.text !== "" && <span class="held">{a.text}</span>}
      </div>
      <StatusChoice a={a} />
      <p class="problem" role="alert">{problem}</p>
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
    <section class="panel call" aria-label={t("lead")}>
      <header>
        <div>
          <h2>{name || number}</h2>
          <p>
            <span class="number">{number}</span>
            {pop && pop.attempt_no > 0 && <span>{t("attempt_no", { n: pop.attempt_no })}</span>}
          </p>
        </div>
        <div class="talk">
          {call && <Pill kind="call" state={call.state} />}
          {call && <Timer since={call.since} />}
          {call && (
            <button class="danger" disabled={asking.value > 0}
              onClick={() => void ask({ type: "hang_up" })}>
              {t("hang_up")}
            </button>
          )}
        </div>
      </header>
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
            <button disabled={asking.value > 0}
              onClick={() => void ask({ type: "choose_lead", attempt: pop.attempt, lead: c.lead })}>
              <b>{c.name || t("unnamed_lead")}</b>
              <span>{c.list}</span>
              <small>#{c.lead}</small>
            </button>
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
    <dl class="fields">
      {names.map((name) => (
        <div key={name}>
          <dt>{name.replace(/_/g, " ")}</dt>
          <dd>{fields[name]}</dd>
        </div>
      ))}
    </dl>
  );
}

// --- disposition -------------------------------------------------------------------------------

/** What was typed, by call: a redraw or a change from outside does not touch it. */
const notes = new Map<string, string>();

function offered(campaign: number): Disposition[] {
  return dispositions.all()
    .filter((d) => d.campaign === 0 || d.campaign === campaign)
    .sort((x, y) => x.position - y.position || x.name.localeCompare(y.name));
}

function Dispose({ a }: { a: StatusUpdate }) {
  const when = useSignal("");
  const choices = offered(a.campaign);
  const attempt = a.attempt;
  const dispose = async (d: Disposition) => {
    if (d.callback && when.value === "") {
      askedIn = a.state;
      problem.value = t("dispose_needs_time");
      return;
    }
    const saved = await ask({
      type: "set_disposition",
      attempt,
      code: d.code,
      note: notes.get(attempt) ?? "",
      ...(d.callback ? { callback: new Date(when.value).getTime() } : {}),
    });
    if (saved) {
      notes.delete(attempt);
    }
  };
  return (
    <Panel title={t("dispose_title")} class="dispose"
      aside={a.until > 0 ? <small class="left"><Timer until={a.until} /></small> : undefined}>
      {choices.length === 0 && <Empty>{t("dispose_none")}</Empty>}
      <div class="codes">
        {choices.map((d, i) => (
          <button key={d.code} disabled={asking.value > 0} onClick={() => void dispose(d)}>
            <kbd>{i < 9 ? i + 1 : ""}</kbd>
            {d.name}
          </button>
        ))}
      </div>
      <label>
        {t("dispose_note")}
        <textarea key={attempt} rows={3} maxLength={1000} defaultValue={notes.get(attempt) ?? ""}
          onInput={(event) => notes.set(attempt, event.currentTarget.value)} />
      </label>
      {choices.some((d) => d.callback) && (
        <label>
          {t("dispose_callback")}
          <input type="datetime-local" onInput={(event) => { when.value = event.currentTarget.value; }} />
        </label>
      )}
    </Panel>
  );
}

// --- manual call -------------------------------------------------------------------------------

function Dial({ a }: { a: StatusUpdate }) {
  const ready = a.state === "available" && asking.value === 0;
  const submit = async (event: Event) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const number = String(new FormData(form).get("number")).trim();
    if (number !== "" && await ask({ type: "dial", number })) {
      form.reset();
    }
  };
  return (
    <Panel title={t("dial_title")} class="dial">
      <form onSubmit={(event) => void submit(event)}>
        <input name="number" type="tel" inputMode="tel" maxLength={32} autocomplete="off"
          aria-label={t("dial_number")} placeholder="+12125550123" />
        <button class="primary" disabled={!ready} title={ready ? "" : t("dial_only_available")}>
          {t("dial_go")}
        </button>
      </form>
    </Panel>
  );
}

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
        {ended && <Dispose a={a} />}
      </div>
      <Dial a={a} />
    </main>
  );
}
