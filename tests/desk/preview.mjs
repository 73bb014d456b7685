// preview.mjs - preview mode: the lead comes before the call.
import { equal, truth } from "./tap.mjs";
import { agent, ANSWER, campaign, ctl, freshNumber, killDaemon, leads, people, row, startDaemon, until, witness } from "./stack.mjs";

const start = (c) => ctl("campaign", "start", c.id);
const stop = (c) => ctl("campaign", "stop", c.id, "--now");

export async function previews(step, { attempt, dialed, isRecorded, legs, rowIs, SALE }) {
  await step("preview: a lead is shown before it is dialed; dialed, skipped with its reason, over a kill -9, when its time is over", async (sit) => {
    const c = await campaign("Preview", "preview", "leg=permanent", "preview=60", "preview_expiry=dial", "retry=300");
    const queue = await leads(c, ["Ann", "Ben", "Cid"].map((name) => ({ number: freshNumber(), name, city: `City of ${name}` })));
    const who = await agent("nik", "Nik Falk", c);
    const nik = await sit(who);
    const shows = async (queued) => {
      await nik.is("Preview");
      await nik.page.getByRole("heading", { name: queued.name }).waitFor();
      await nik.sees(`City of ${queued.name}`);
      const { id } = await until(`the row says who looks at ${queued.name}`, () => row(
        "SELECT id FROM attempt WHERE number = $1 AND state = 13 AND live = 1 AND agent_id = $2::bigint", queued.number, who.id));
      await rowIs(queued, "dialing");
      return id;
    };
    const isBack = async (queued, id, why) => {
      await rowIs(queued, "pending");
      const over = await attempt(id);
      equal([over.outcome, over.note, over.originated_ms, over.agent_id].join("/"), `11/${why}/0/${who.id}`);
      equal(witness(undefined, id).length, 0, "the network heard of it:");
    };

    await people(ANSWER);
    await start(c);
    await nik.sees("Phone ready");
    await nik.press("Start work");
    const first = await shows(queue[0]);
    await isRecorded(who, "preview");
    await nik.sees("then it is dialed by itself");
    const left = await nik.page.getByRole("region", { name: "Shall this lead be dialed?" }).locator("time").innerText();
    truth(/^(1:00|0:[0-5]\d)$/.test(left), `the countdown shows ${left}`);
    equal(dialed(c).length, 0, "dialed before it was wanted:");
    await nik.page.keyboard.press("c");
    await nik.callIs("Talking");
    equal(dialed(c).map((seen) => seen.id).join(), first);
    const [leg] = legs(who);
    const [{ bridge }] = witness("bridge_enter", first);
    equal(witness("bridge_enter").filter((seen) => seen.bridge === bridge).at(-1).members.toSorted().join(), [first, leg.id].toSorted().join());
    await nik.press("Hang up");
    await nik.dispose(SALE);
    await rowIs(queue[0], "completed");

    const second = await shows(queue[1]);
    await nik.page.keyboard.press("1");
    const third = await shows(queue[2]);
    await isBack(queue[1], second, "Wrong time of day");
    const { due_ms, now_ms } = await row("SELECT due_ms, (EXTRACT(EPOCH FROM now()) * 1000)::bigint AS now_ms FROM queue_row WHERE id = $1::bigint",
      queue[1].id);
    truth(due_ms > now_ms + 200_000, "it does not rest");

    await ctl("campaign", "set", c.id, "preview=5", "preview_expiry=not_ready");
    await killDaemon();
    await startDaemon();
    await until("the row came back", async () => (await attempt(third)).live === 0);
    const again = await shows(queue[2]);
    truth(again !== third, "the same attempt");
    await nik.sees("then it goes back, and you are on a break");
    await nik.is("Break");
    await isRecorded(who, "break", "no response");
    await isBack(queue[2], again, "no response");
    equal(dialed(c).length, 1, "dialed:");
    await stop(c);
  });
}
