// board.tsx - the supervisor's page: what is going on, at a glance.
import { useComputed, useSignal } from "@preact/signals";
import { request } from "./link.ts";
import { agents, alarms, calls, campaigns, complete, dependencies, modes, now, pbxs } from "./model.ts";
import type { AgentState, Call, CallState, Campaign, StatusUpdate } from "./protocol.ts";
import { named, t } from "./strings.ts";
import { count, Empty, Panel, Pill, share, Timer } from "./ui.tsx";
import { Why } from "./why.tsx";

const CALLS_SHOWN = 60;
/** Longer than this in a state is worth a look, in seconds. */
const LONG_S: Partial<Record<AgentState, number>> = { connecting: 30, preview: 120, reserved: 30, wrapup: 120, break: 1800 };
/** What holds dialing back in a normal hour: said, but not as a warning. */
const ROUTINE: ReadonlySet<string> = new Set(["allow", "pace_full", "no_available_agent", "calls_per_second"]);

// --- what is wrong -----------------------------------------------------------------------------

/** The daemon's mode when it is not the usual one, and the alarms that stand. */
function Notices() {
  const mode = modes.get("mode");
  const standing = alarms.all();
  const unusual = mode !== undefined && (mode.mode !== "RUN" || mode.cause !== "");
  if (!unusual && standing.length === 0) {
    return null;
  }
  return (
    <div class="notices" role="status" aria-label={t("notices")}>
      {unusual &&
        <p class={mode.mode === "RUN" ? "ride" : "held"}>
          <b>{named("daemon", mode.mode)}</b> {mode.text}
        </p>}
      {standing.map((a) => (
        <p key={`${a.code}/${a.subject}`} class="alarm">
          <span class="mark" aria-hidden="true">▲</span>
          <b>{a.code}</b> {a.subject} {a.text} <Timer since={a.since} />
        </p>
      ))}
    </div>
  );
}

// --- the strip ---------------------------------------------------------------------------------

function Kpi({ n, label, of, tone }: { n: string; label: string; of: string; tone: string }) {
  return (
    <div class={`kpi ${tone}`}>
      <b>{n}</b>
      <span>{label}</span>
      <small>{of}</small>
    </div>
  );
}

/** Sums of the campaigns' lines, so that the strip and the lines below it never disagree. */
function Strip() {
  const lines = campaigns.all();
  const sum = (of: (c: Campaign) => number) => lines.reduce((n, c) => n + of(c), 0);
  const people = t("kpi_of_agents", { n: count(sum((c) => c.agents)) });
  const ringing = sum((c) => c.ringing);
  const waiting = sum((c) => c.waiting);
  const talking = sum((c) => c.bridged);
  const dialed = sum((c) => c.dialed);
  const answered = sum((c) => c.answered);
  const abandoned = sum((c) => c.abandoned);
  const lost = answered > 0 ? abandoned / answered : 0;
  return (
    <div class="strip">
      <Kpi n={count(sum((c) => c.available))} label={t("kpi_available")} tone="good" of={people} />
      <Kpi n={count(talking)} label={t("kpi_talking")} tone="talk" of={people} />
      <Kpi n={count(sum((c) => c.wrapup))} label={t("kpi_wrapup")} tone="wrap" of={people} />
      <Kpi n={count(ringing)} label={t("kpi_ringing")} tone="ring"
        of={t("kpi_calls", { n: count(ringing + waiting + talking) })} />
      <Kpi n={count(waiting)} label={t("kpi_waiting")} tone={waiting > 0 ? "wrap" : "quiet"}
        of={t("kpi_waiting_of")} />
      <Kpi n={share(answered, dialed)} label={t("kpi_answered")} tone="plain"
        of={t("kpi_of_dialed", { n: count(dialed) })} />
      <Kpi n={share(abandoned, answered)} label={t("kpi_abandoned")} tone={lost > 0.03 ? "bad" : "plain"}
        of={t("kpi_of_answered", { n: count(answered) })} />
    </div>
  );
}

// --- campaigns ---------------------------------------------------------------------------------

function Switch({ c }: { c: Campaign }) {
  const problem = useSignal("");
  const running = c.state === "running" || c.state === "starting";
  const act = async () => {
    if (running && !window.confirm(t("stop_sure", { name: c.name }))) {
      return;
    }
    const reply = await request({
      type: "campaign_switch", campaign: c.campaign, action: running ? "stop" : "start",
    });
    problem.value = reply.text || (reply.result === "ok" ? "" : named("result", reply.result));
  };
  return (
    <span class="switch">
      <span class="problem" role="status">{problem}</span>
      <button onClick={() => void act()}>{running ? t("stop") : t("start")}</button>
    </span>
  );
}

function Cell({ n, label, tone }: { n: string; label: string; tone?: string }) {
  return (
    <div class={`cell ${tone ?? ""}`}>
      <dd>{n}</dd>
      <dt>{label}</dt>
    </div>
  );
}

function CampaignLine({ id }: { id: number }) {
  const open = useSignal(false);
  const c = campaigns.row(id)?.value;
  if (!c) {
    return null;
  }
  return (
    <article class="campaign">
      <header>
        <h3>{c.name}</h3>
        <Pill kind="campaign" state={c.state} />
        <span class="mode">{named("mode", c.mode)}</span>
        <button class="quiet" aria-expanded={open.value} onClick={() => { open.value = !open.value; }}>
          {t("why")}
        </button>
        <Switch c={c} />
      </header>
      <dl>
        <Cell n={count(c.agents)} label={t("col_agents")} />
        <Cell n={count(c.available)} label={t("col_available")} tone="good" />
        <Cell n={count(c.ringing)} label={t("col_ringing")} tone="ring" />
        <Cell n={count(c.waiting)} label={t("col_waiting")} tone={c.waiting > 0 ? "wrap" : ""} />
        <Cell n={count(c.bridged)} label={t("col_bridged")} tone="talk" />
        <Cell n={count(c.dialed)} label={t("col_dialed")} />
        <Cell n={count(c.answered)} label={t("col_answered")} />
        <Cell n={count(c.abandoned)} label={t("col_abandoned")} />
        <Cell n={count(c.hopper)} label={t("col_hopper")} />
      </dl>
      <footer>
        <span class={ROUTINE.has(c.held_by) ? "" : "held"}>
          {c.held_by === "allow"
            ? t("held_none")
            : `${ROUTINE.has(c.held_by) ? t("pace") : t("held_by")} ${c.text || c.held_by}`}
        </span>
        <span>
          {c.answers_30d > 0
            ? t("window_30d", {
              share: share(c.abandoned_30d, c.answers_30d),
              abandoned: count(c.abandoned_30d),
              answers: count(c.answers_30d),
            })
            : t("window_30d_none")}
        </span>
      </footer>
      {open.value && <Why campaign={id} />}
    </article>
  );
}

function Campaigns() {
  const ids = [...campaigns.keys.value].sort((a, b) => a - b);
  return (
    <Panel title={t("campaigns")} class="campaigns">
      {ids.length === 0 && <Empty>{complete.value ? t("campaigns_none") : t("loading")}</Empty>}
      {ids.map((id) => <CampaignLine key={id} id={id} />)}
    </Panel>
  );
}

// --- agents ------------------------------------------------------------------------------------

function AgentTile({ id }: { id: number }) {
  const row = agents.row(id);
  const long = useComputed(() => {
    const at = row?.value;
    return at !== undefined && now.value - at.since > 1000 * (LONG_S[at.state] ?? Infinity);
  });
  const a = row?.value;
  if (!a) {
    return null;
  }
  const detail = a.reason !== "" && a.reason !== a.state ? named("reason", a.reason) : a.text;
  return (
    <li class={`agent state-${a.state} ${long.value ? "long" : ""}`} title={a.text || undefined}>
      <span class="who">{a.name || `#${a.agent}`}</span>
      <span>{long.value && <span class="unseen">{t("agent_long")}</span>}<Timer since={a.since} /></span>
      <Pill kind="state" state={a.state} />
      {detail !== "" && <small>{detail}</small>}
    </li>
  );
}

const byName = (a: StatusUpdate, b: StatusUpdate) =>
  a.name.localeCompare(b.name, undefined, { numeric: true }) || a.agent - b.agent;

function Agents() {
  const all = agents.all();
  const here = all.filter((a) => a.state !== "offline").sort(byName);
  return (
    <Panel title={t("agents")} class="agents"
      aside={<small>{t("agents_offline", { n: count(all.length - here.length) })}</small>}>
      {here.length === 0 && <Empty>{complete.value ? t("agents_none") : t("loading")}</Empty>}
      <ul>{here.map((a) => <AgentTile key={a.agent} id={a.agent} />)}</ul>
    </Panel>
  );
}

// --- calls -------------------------------------------------------------------------------------

const order: Partial<Record<CallState, number>> =
  { answered: 0, message: 1, bridging: 2, held: 3, bridged: 4, ringing: 5, originating: 6 };
const urgency = (c: Call) => order[c.state] ?? 9;

function CallLine({ id }: { id: string }) {
  const c = calls.row(id)?.value;
  if (!c) {
    return null;
  }
  return (
    <tr>
      <td><Pill kind="call" state={c.state} /></td>
      <td class="name">{c.name || "–"}</td>
      <td class="number">{c.number}</td>
      <td class="name">{c.agent !== 0 ? agents.get(c.agent)?.name ?? `#${c.agent}` : ""}</td>
      <td class="right"><Timer since={c.since} /></td>
    </tr>
  );
}

function Calls() {
  const all = calls.all()
    .filter((c) => urgency(c) < 9)
    .sort((a, b) => urgency(a) - urgency(b) || a.since - b.since);
  return (
    <Panel title={t("calls")} class="calls" aside={<small>{count(all.length)}</small>}>
      {all.length === 0 && <Empty>{complete.value ? t("calls_none") : t("loading")}</Empty>}
      <div class="scroll">
        <table>
          <tbody>
            {all.slice(0, CALLS_SHOWN).map((c) => <CallLine key={c.attempt} id={c.attempt} />)}
          </tbody>
        </table>
        {all.length > CALLS_SHOWN &&
          <Empty>{t("calls_more", { n: count(all.length - CALLS_SHOWN) })}</Empty>}
      </div>
    </Panel>
  );
}

function Systems() {
  const systems = [
    ...dependencies.all().map((d) => ({ name: d.name, up: d.ready, text: d.text })),
    ...pbxs.all().map((p) => ({ name: p.name, up: p.state === "up", text: p.text || p.state })),
  ];
  if (systems.length === 0) {
    return null;
  }
  return (
    <footer class="systems" aria-label={t("systems")}>
      {systems.map((s) => (
        <span key={s.name} class={s.up ? "up" : "down"}>
          <span class="mark" aria-hidden="true">{s.up ? "●" : "▲"}</span>
          {s.name}
          {!s.up && s.text !== "" && <small>{s.text}</small>}
        </span>
      ))}
    </footer>
  );
}

export function Board() {
  return (
    <main class="board">
      <Notices />
      <Strip />
      <Campaigns />
      <div class="halves">
        <Agents />
        <Calls />
      </div>
      <Systems />
    </main>
  );
}
