// wall.tsx - #wallboard: the few numbers that somebody must act on, for a screen that is ten metres away.
import { signal } from "@preact/signals";
import { alarms, campaigns } from "./model.ts";
import { t } from "./strings.ts";
import { count, Pill, share } from "./ui.tsx";

const HASH = "#wallboard";
export const walled = signal(location.hash === HASH);
window.addEventListener("hashchange", () => { walled.value = location.hash === HASH; });

function Big({ n, label, tone }: { n: string; label: string; tone: string }) {
  return <div class={`big ${tone}`}><b>{n}</b><span>{label}</span></div>;
}

export function Wall() {
  const lines = campaigns.all();
  const sum = (key: "available" | "bridged" | "waiting" | "wrapup" | "answers_30d" | "abandoned_30d") =>
    lines.reduce((n, c) => n + c[key], 0);
  const waiting = sum("waiting");
  const standing = alarms.all();
  return (
    <main class="wall">
      <h1 class="unseen">{t("wall")}</h1>
      <div class="bigs">
        <Big n={count(sum("available"))} label={t("kpi_available")} tone="good" />
        <Big n={count(sum("bridged"))} label={t("kpi_talking")} tone="talk" />
        <Big n={count(waiting)} label={t("kpi_waiting")} tone={waiting > 0 ? "bad" : "plain"} />
        <Big n={count(sum("wrapup"))} label={t("kpi_wrapup")} tone="wrap" />
        <Big n={share(sum("abandoned_30d"), sum("answers_30d"))} label={t("wall_abandoned")} tone="plain" />
      </div>
      <ul>
        {lines.map((c) => (
          <li key={c.campaign}>
            <span class="name" dir="auto">{c.name}</span>
            <Pill kind="campaign" state={c.state} />
            <span>{t("wall_line", { bridged: count(c.bridged), ringing: count(c.ringing) })}</span>
          </li>
        ))}
      </ul>
      {standing.length > 0 && (
        <p class="held" role="status"><span class="mark" aria-hidden="true">▲</span>
          {standing.map((a) => `${a.code} ${a.text}`).join(" · ")}</p>
      )}
      <a href="#">{t("wall_back")}</a>
    </main>
  );
}
