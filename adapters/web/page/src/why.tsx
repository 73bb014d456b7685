// why.tsx - what holds dialing back now, in the daemon's own numbers, asked anew while it is open.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { request } from "./link.ts";
import { named, t } from "./strings.ts";
import { count, Empty } from "./ui.tsx";

const ASK_MS = 3_000;
const SHOWN = ["agents", "available", "aimed_at", "may_leave_now", "claiming", "claimed", "hopper", "dialed"] as const;

export function Why({ campaign }: { campaign: number }) {
  const data = useSignal<Record<string, unknown> | null>(null);
  const problem = useSignal("");
  useEffect(() => {
    const look = async () => {
      const reply = await request({ type: "explain_campaign", campaign });
      if (reply.result === "ok" && typeof reply.data === "object" && reply.data !== null) {
        data.value = reply.data as Record<string, unknown>;
      }
      problem.value = reply.result === "ok" ? "" : reply.text || named("result", reply.result);
    };
    const timer = window.setInterval(() => void look(), ASK_MS);
    void look();
    return () => window.clearInterval(timer);
  }, [campaign]);
  const d = data.value;
  const refused = Object.entries((d?.refused ?? {}) as Record<string, number>).filter(([, n]) => n > 0);
  return (
    <div class="why">
      <p class="problem" role="alert">{problem}</p>
      {d === null && problem.value === "" && <Empty>{t("loading")}</Empty>}
      {d !== null && (
        <>
          <p><b>{String(d.why ?? "") || t("held_none")}</b></p>
          <dl class="facts-row">
            {SHOWN.filter((name) => typeof d[name] === "number").map((name) => (
              <div key={name}><dt>{named("why", name)}</dt><dd>{count(d[name] as number)}</dd></div>
            ))}
          </dl>
          {refused.length > 0 && <h4>{t("why_refused")}</h4>}
          <dl class="facts-row">
            {refused.map(([name, n]) => (
              <div key={name}><dt>{name.replace(/_/g, " ")}</dt><dd>{count(n)}</dd></div>
            ))}
          </dl>
        </>
      )}
    </div>
  );
}
