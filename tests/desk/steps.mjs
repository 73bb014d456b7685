// steps.mjs - the acceptance steps, one test for each, in their words: what a person sees on the page, what stands in the
// database, what the telephone network saw. Times are settings of a second or two here; the defaults are looked at where a step
// names them.
import { closeBrowser, openBrowser, sitDown, trouble } from "./person.mjs";
import {
  agent, ANSWER, asterisk, BUSY, campaign, ctl, down, freshNumber, leads, log, order, people, redis, RING, row, secret,
  sql, until, up, witness,
} from "./stack.mjs";
import { controls } from "./controls.mjs";
import { previews } from "./preview.mjs";
import { shot } from "./chrome.mjs";
import { done, equal, test, truth } from "./tap.mjs";

const STATES = ["offline", "connecting", "available", "reserved", "busy", "wrapup", "break", "preview"];
const SALE = /^\d?\s*Sale/;
const ROWS = ["pending", "dialing", "answered", "completed", "failed"];

/** One acceptance step; who sat down in it gets up again. */
async function step(name, body) {
  const seated = [];
  const good = await test(name, async () => {
    await body(async (who) => {
      const person = await sitDown(who);
      seated.push(person);
      return person;
    });
    equal(trouble.join("; "), "", "on the pages:");
  });
  if (!good) {
    for (const person of seated) {
      await shot(person.page, name.split(" ")[0]);
    }
  }
  trouble.length = 0;
  for (const person of seated) {
    await person.leave().catch(() => {});
  }
  if (good) {
    console.log(`${name.split(" ")[0]} passed`);
  }
}

/** What the record of an agent's states says now. */
const recorded = (who) => row("SELECT state, reason, at_ms FROM agent_event WHERE agent_id = $1::bigint ORDER BY id DESC LIMIT 1", who.id);

function isRecorded(who, state, reason) {
  return until(`${who.login} is recorded ${state}`, async () => {
    const now = await recorded(who);
    return STATES[now?.state] === state && (reason === undefined || now.reason === reason) ? now : undefined;
  });
}

const statusOf = async (queued) => ROWS[(await row("SELECT status FROM queue_row WHERE id = $1::bigint", queued.id)).status];
const rowIs = (queued, status) => until(`row ${queued.id} is ${status}`, async () => (await statusOf(queued)) === status);
const attemptTo = (number) => until(`an attempt to ${number}`,
  () => row("SELECT * FROM attempt WHERE number = $1 ORDER BY attempt_no DESC LIMIT 1", number));
const attempt = (id) => row("SELECT * FROM attempt WHERE id = $1", id);
const attemptsOf = (c) => sql("SELECT * FROM attempt WHERE campaign_id = $1::bigint ORDER BY claimed_ms, id", c.id);

/** Customers that the network was asked for, of this campaign (its id is part of the channel's). */
function dialed(c) {
  const mine = `-${c.id.toString(16).padStart(8, "0")}-`;
  return witness("originate").filter((seen) => seen.kind === "customer" && seen.id.slice(8).startsWith(mine));
}

/** The channels of this agent's phone that the network saw. */
function legs(who) {
  const mine = `-${who.id.toString(16).padStart(8, "0")}-`;
  return witness("originate").filter((seen) => seen.kind === "leg" && seen.id.slice(8).startsWith(mine));
}

const isUp = async (channel) => (await asterisk("GET", "channels")).some((c) => c.id === channel && c.state === "Up");
const ended = (channel) => until(`the network saw the end of ${channel}`, () => witness("end", channel).length > 0);
const rings = (id) => until(`${id} rings`,
  async () => (await asterisk("GET", "channels")).some((c) => c.id === id && c.state === "Ringing"));

await up();
await openBrowser();
const start = (c) => ctl("campaign", "start", c.id);
const stop = (c) => ctl("campaign", "stop", c.id, "--now");

let bosses = 0;
async function supervisor() {
  const login = `boss${++bosses}`;
  const { id } = await ctl("agent", "add", login, "--name", "Vera Boss", "--role", "supervisor", "--password-file", secret);
  return { id, login };
}

await step("S1 the status pill equals the database; a change of status shows at once, without a reload", async (sit) => {
  const c = await campaign("S1", "progressive", "leg=permanent");
  const who = await agent("ada", "Ada Lund", c);
  const ada = await sit(who);

  await start(c);
  await ada.is("Offline");
  await isRecorded(who, "offline");
  await ada.mark();
  await ada.startWork();
  await isRecorded(who, "available");
  const [leg] = legs(who);
  truth(await isUp(leg.id), "the line that the page calls up is not");
  await ada.sees("Line up");
  const requests = [];
  ada.page.on("request", (request) => requests.push(request.url()));
  for (const reason of ["Break", "Lunch"]) {
    await ada.press(reason);
    await ada.is("Break");
    await isRecorded(who, "break", reason.toLowerCase());
    await ada.press("Available");
    await ada.is("Available");
    await isRecorded(who, "available");
  }
  truth(await ada.wasNotReloaded(), "the page was loaded anew");
  equal(requests.join(" "), "", "it was pushed, not asked for:");
  equal(legs(who).length, 1, "the phone rang for that:");
  truth(await isUp(leg.id), "a break costs the line");
  await stop(c);
});

await step("S2 manual dial: ringing, answered, wrap-up when the customer hangs up, disposition, Available after submit", async (sit) => {
  const c = await campaign("S2", "manual", "leg=on_demand");
  const who = await agent("bo", "Bo Winter", c);
  const number = freshNumber();
  const bo = await sit(who);

  await people(RING);
  await start(c);
  await bo.startWork();
  await bo.dial(number);
  await bo.callIs("Ringing");
  const { id } = await attemptTo(number);
  await order(`answer?channel=${id}`);
  await bo.callIs("Talking");
  await bo.is("In call");
  await isRecorded(who, "busy");
  const [leg] = legs(who); // the external softphone rang
  truth(await isUp(leg.id), "the agent's phone is not in the call");
  equal(witness("bridge_enter", id).length, 1);
  await order(`hangup?channel=${id}`);
  await bo.is("Wrap-up");
  await isRecorded(who, "wrapup");
  await bo.disposition.waitFor();
  await ended(leg.id);
  equal((await attempt(id)).disposition, "", "before anything is chosen:");
  await bo.dispose(SALE, "Wants two.");
  await bo.is("Available");
  await isRecorded(who, "available");
  const kept = await attempt(id);
  equal([kept.disposition, kept.disposed_by, kept.note].join("/"), "sale/agent/Wants two.");
  const times = [kept.originated_ms, kept.ringing_ms, kept.answered_ms, kept.bridged_ms, kept.ended_ms, kept.disposed_ms];
  truth(times.every((t, i) => t > 0 && (i === 0 || t >= times[i - 1])), `times out of order: ${times}`);
  equal(witness(undefined, id).filter((seen) => ["originate", "answer", "end"].includes(seen.what)).map((seen) => seen.what).join(" "),
    "originate answer end");
  await stop(c);
});

await step("S3 a row of the queue goes from pending to dialing, answered, completed", async (sit) => {
  const c = await campaign("S3", "progressive", "leg=permanent");
  const who = await agent("cleo", "Cleo Brandt", c);
  const [lead] = await leads(c, [{ number: freshNumber(), name: "Nils Holm", city: "Bergen" }]);
  const cleo = await sit(who);

  await people(RING);
  equal(await statusOf(lead), "pending");
  await start(c);
  await cleo.startWork();
  const { id } = await attemptTo(lead.number);
  await rings(id);
  await rowIs(lead, "dialing");
  await order(`answer?channel=${id}`);
  await cleo.is("In call");
  await cleo.callIs("Talking");
  await rowIs(lead, "answered");
  await order(`hangup?channel=${id}`);
  await cleo.is("Wrap-up");
  await cleo.dispose(SALE);
  await rowIs(lead, "completed");
  equal(dialed(c).length, 1, "calls of that row:");
  await cleo.is("Available");
  await stop(c);
});

await step("S4 the hopper holds as many as the campaign says, 500 by default; pending rows become fewer when an agent is Available", async (sit) => {
  const c = await campaign("S4", "progressive", "leg=permanent");
  const who = await agent("dan", "Dan Moe", c);
  const boss = await sit(await supervisor());
  const pending = async () => (await row("SELECT count(*) AS n FROM queue_row WHERE list_id = $1::bigint AND status = 0", c.list)).n;

  equal((await row("SELECT hopper_size FROM campaign WHERE id = $1::bigint", c.id)).hopper_size, 500);
  await people(RING);
  await leads(c, Array.from({ length: 520 }, (_, i) => ({ number: freshNumber(), name: `Lead ${i}` })));
  await boss.campaign(c.name).getByRole("button", { name: "Start" }).click();
  await boss.figure(c.name, "Hopper", "500");
  equal((await redis("LLEN", `hopper:${c.id}`)).join(), "500");
  equal(await pending(), 520);
  equal(dialed(c).length, 0, "dialed for nobody:");
  const dan = await sit(who);
  await dan.startWork();
  await boss.figure(c.name, "Ringing", "1");
  await until("fewer rows are pending", async () => (await pending()) < 520);
  const [seen] = await until("the network has the call", () => dialed(c).length > 0 && dialed(c));
  truth((await attemptsOf(c)).some((a) => a.id === seen.id), "a call that the database does not know");
  await stop(c);
});

await step("S5 the hopper is a list in Redis, hopper:<campaign_id>, and is dialed in its order", async (sit) => {
  const c = await campaign("S5", "progressive", "leg=permanent");
  const queue = await leads(c, ["Ida", "Jon", "Kai", "Liv", "Mia", "Nora"].map((name) => ({ number: freshNumber(), name })));
  const who = await agent("eva", "Eva Lind", c);
  const key = `hopper:${c.id}`;
  const eva = await sit(who);
  const calls = () => dialed(c).map((seen) => seen.id);

  await people(ANSWER);
  await start(c);
  await until("the hopper is full", async () => (await redis("LLEN", key))[0] === "6");
  equal((await redis("TYPE", key)).join(), "list");
  const ids = await redis("LRANGE", key, "0", "-1");
  equal(ids.join(" "), queue.map((queued) => queued.id).join(" "));
  await eva.startWork();
  for (const queued of queue.slice(0, 2)) {
    await eva.page.getByRole("heading", { name: queued.name }).waitFor();
    await eva.callIs("Talking");
    await eva.press("Hang up");
    await eva.dispose(SALE);
    await rowIs(queued, "completed");
  }
  const left = await redis("LRANGE", key, "0", "-1");
  equal(left.join(" "), ids.slice(ids.length - left.length).join(" "), "taken from the left:");
  await stop(c);
  const rows = [];
  for (const id of calls()) {
    rows.push((await attempt(id)).row_id);
  }
  equal(rows.join(" "), ids.slice(0, rows.length).join(" "), "dialed in this order:");
});

await step("S6 no available agents, no dialing", async (sit) => {
  const c = await campaign("S6", "progressive", "leg=permanent");
  const queue = await leads(c, ["Ole", "Per", "Rut"].map((name) => ({ number: freshNumber(), name })));
  const who = await agent("fia", "Fia Dahl", c);
  const boss = await sit(await supervisor());
  const fia = await sit(who);

  await people(ANSWER);
  await boss.campaign(c.name).getByRole("button", { name: "Start" }).click();
  await boss.figure(c.name, "Hopper", "3");
  await boss.campaign(c.name).getByText("no agent is available").waitFor();
  await fia.startWork();
  await fia.callIs("Talking");
  await fia.press("Lunch"); // after this call
  await fia.sees("After this call: Lunch");
  await fia.press("Hang up");
  await fia.dispose(SALE);
  await fia.is("Break");
  await rowIs(queue[0], "completed");
  await boss.campaign(c.name).getByText("agents are logged in, none is available").waitFor();
  equal(dialed(c).length, 1, "dialed:");
  await fia.press("Available");
  await fia.callIs("Talking");
  await stop(c);
  // When each call left, she was there for it.
  const states = await sql("SELECT state, at_ms FROM agent_event WHERE agent_id = $1::bigint ORDER BY id", who.id);
  for (const call of dialed(c)) {
    const then = STATES[states.filter((s) => s.at_ms <= call.wall_ms).at(-1)?.state];
    truth(["available", "reserved"].includes(then), `dialed while she was ${then}`);
  }
  equal((await attemptsOf(c)).length, 2, "rows of calls:");
});

await step("S7 a wrap-up without disposition ends by itself after the campaign's wrapup_timeout", async (sit) => {
  const usual = await campaign("S7 usual", "manual");
  const c = await campaign("S7", "manual", "leg=permanent", "wrapup_timeout=2");
  const who = await agent("gus", "Gus Berg", c);
  const number = freshNumber();
  const gus = await sit(who);

  equal((await row("SELECT wrapup_s FROM campaign WHERE id = $1::bigint", usual.id)).wrapup_s, 120);
  await people(ANSWER);
  await start(c);
  await gus.startWork();
  await gus.dial(number);
  await gus.callIs("Talking");
  const { id } = await attemptTo(number);
  await order(`hangup?channel=${id}`);
  await gus.is("Wrap-up");
  const began = await isRecorded(who, "wrapup");
  await gus.disposition.waitFor();
  await gus.is("Available");
  const over = await isRecorded(who, "available");
  truth(over.at_ms - began.at_ms >= 2000, `after ${over.at_ms - began.at_ms} ms`);
  equal(await gus.disposition.count(), 0, "panels that still ask:");
  const kept = await until("the system's disposition is kept", async () => (await attempt(id)).disposition !== "" && attempt(id));
  equal(`${kept.disposition} by ${kept.disposed_by}`, "not_disposed by system");
  equal(witness("end", id).length, 1);
  await stop(c);
});

await step("S8 a wrap-up without a campaign ends by itself, after 5 minutes by default", async (sit) => {
  const c = await campaign("S8", "manual", "leg=permanent", "wrapup_timeout=3600");
  const usual = await agent("usual", "As It Comes", c);
  const who = await agent("hal", "Hal Vik", c, "wrapup_default=2");
  const number = freshNumber();
  const hal = await sit(who);

  equal((await row("SELECT wrapup_default_s FROM agent WHERE id = $1::bigint", usual.id)).wrapup_default_s, 300);
  await people(ANSWER);
  await start(c);
  await hal.startWork();
  await hal.dial(number);
  await hal.callIs("Talking");
  const { id } = await attemptTo(number);
  await ctl("agent", "set", who.id, "campaign=0");
  await hal.page.getByRole("region", { name: "Status", exact: true }).getByText(c.name).waitFor({ state: "detached" }); // so it is done
  equal((await row("SELECT campaign_id FROM agent WHERE id = $1::bigint", who.id)).campaign_id, 0);
  await order(`hangup?channel=${id}`);
  await hal.is("Wrap-up");
  const began = await isRecorded(who, "wrapup");
  await hal.is("Available");
  const over = await isRecorded(who, "available");
  truth(over.at_ms - began.at_ms >= 2000 && over.at_ms - began.at_ms < 3600_000, `after ${over.at_ms - began.at_ms} ms`);
  equal(witness("end", id).length, 1);
  await stop(c);
});

await step("S9 an agent who is busy without a call is set free, after 10 minutes by default", async (sit) => {
  const c = await campaign("S9", "manual", "leg=permanent");
  const usual = await agent("usual too", "As It Comes", c);
  const who = await agent("ina", "Ina Sand", c, "busy_reset=2");
  const number = freshNumber();
  const ina = await sit(who);

  equal((await row("SELECT busy_reset_s FROM agent WHERE id = $1::bigint", usual.id)).busy_reset_s, 600);
  await people(ANSWER);
  await start(c);
  await ina.startWork();
  await ina.dial(number);
  await ina.callIs("Talking");
  await isRecorded(who, "busy");
  const { id } = await attemptTo(number);
  // The end of the call is not told: Asterisk sends the daemon nothing but these.
  await asterisk("PUT", "applications/dialer/eventFilter",
    { allowed: ["Dial", "StasisStart", "PlaybackFinished"].map((type) => ({ type })) });
  await order(`hangup?channel=${id}`);
  await ended(id);
  await ina.is("In call");
  await ina.is("Wrap-up");
  await isRecorded(who, "wrapup");
  const connected = () => log.filter((line) => line.includes("DLR-ARI-LINK sim: up")).length;
  const before = connected();
  await order("drop-sockets"); // it connects anew, and says itself what it wants to hear
  await until("the daemon is connected again", () => connected() > before);
  await ina.dispose(SALE);
  await ina.is("Available");
  const kept = await attempt(id);
  truth(kept.live === 0 && kept.disposition === "sale", `it lives on: ${JSON.stringify(kept)}`);
  await stop(c);
});

await step("S10 no_answer and busy are called again, after 5 minutes by default", async (sit) => {
  const usual = await campaign("S10 usual", "progressive");
  const c = await campaign("S10", "progressive", "leg=permanent", "busy=2", "no_answer=2", "retry=1");
  const who = await agent("joe", "Joe Falk", c);
  const joe = await sit(who);
  const rung = [];
  const recycled = async (queued, cause) => {
    const failed = await until(`failed, ${cause}`,
      () => row("SELECT attempts, last_no, due_ms FROM queue_row WHERE id = $1::bigint AND status = 4 AND cause = $2", queued.id, cause));
    await people(RING);
    const { id } = await until("it is called again", () => dialed(c).find((seen) => seen.fate === "human" && !rung.includes(seen.id)));
    rung.push(id);
    const again = await attempt(id);
    truth(again.attempt_no > failed.last_no && again.claimed_ms >= failed.due_ms, "before its time");
    await rings(id);
    await order(`answer?channel=${id}`);
    await joe.callIs("Talking");
    await joe.sees(`attempt ${again.attempt_no}`);
    await joe.press("Hang up");
    await joe.disposition.waitFor();
    return again;
  };

  const delays = await row("SELECT no_answer_s, busy_s FROM campaign WHERE id = $1::bigint", usual.id);
  equal(`${delays.no_answer_s} ${delays.busy_s}`, "300 300");
  await people(BUSY);
  const [busy] = await leads(c, [{ number: freshNumber(), name: "Sol Berge" }]);
  await start(c);
  await joe.startWork();
  const second = await recycled(busy, "busy");
  await joe.dispose(/^\d?\s*No answer/); // to the agent it was none: once more
  const third = await recycled(busy, "no_answer");
  await joe.dispose(SALE);
  await rowIs(busy, "completed");
  equal((await sql("SELECT outcome, disposition FROM attempt WHERE row_id = $1::bigint ORDER BY attempt_no", busy.id))
    .map((a) => `${a.outcome} ${a.disposition}`).join(", "), "2 , 8 no_answer, 8 sale");
  equal(dialed(c).map((seen) => seen.id).slice(-2).join(), `${second.id},${third.id}`);
  await stop(c);
});

await step("S11 the lead card is filled by the lead's id, or by the last ten digits of the number", async (sit) => {
  const auto = await campaign("S11 auto", "progressive", "leg=permanent");
  const [byId] = await leads(auto, [{ number: freshNumber(), name: "Tor Aas", city: "Lom", plan: "Gold" }]);
  const hand = await campaign("S11 hand", "manual", "leg=permanent", "prefixes=+1,+52");
  const number = freshNumber();
  const [byNumber] = await leads(hand, [{ number: `+52${number.slice(2)}`, name: "Una Gran", city: "Leon" }]);
  const kim = await agent("kim", "Kim Rud", auto);
  const lea = await agent("lea", "Lea Holt", hand);
  const atAuto = await sit(kim);
  const atHand = await sit(lea);
  const card = async (person, lead, ...words) => {
    await person.page.getByRole("heading", { name: lead.name }).waitFor();
    for (const word of words) {
      await person.page.getByRole("region", { name: "Lead", exact: true }).getByRole("definition").getByText(word).waitFor();
    }
  };

  await people(RING);
  await start(auto);
  await start(hand);
  await atAuto.startWork();
  const first = await attemptTo(byId.number);
  equal(first.lead_id, byId.lead_id);
  await rings(first.id);
  await order(`answer?channel=${first.id}`);
  await card(atAuto, byId, "Lom", "Gold");
  await atHand.startWork();
  await atHand.dial(number);
  await card(atHand, byNumber, "Leon");
  await atHand.page.getByRole("region", { name: "Lead", exact: true }).getByText(number, { exact: true }).waitFor();
  const [second] = await attemptsOf(hand);
  equal(second.lead_id, byNumber.lead_id);
  equal(second.number, number, "called is what was typed, the lead only has its card:");
  for (const call of [first, second]) {
    equal(witness("originate", call.id)[0].number, call.number.slice(1), "the network was asked for:");
  }
  await stop(auto);
  await stop(hand);
});

await step("S12 hanging up from the panel ends both legs, destroys the bridge, and leads to wrap-up", async (sit) => {
  const c = await campaign("S12", "manual", "leg=on_demand");
  const who = await agent("max", "Max Eide", c);
  const number = freshNumber();
  const max = await sit(who);

  await people(ANSWER);
  await start(c);
  await max.startWork();
  await max.dial(number);
  await max.callIs("Talking");
  const { id } = await attemptTo(number);
  const [leg] = legs(who);
  const [{ bridge }] = witness("bridge_enter", id);
  equal(witness("bridge_enter").filter((seen) => seen.bridge === bridge).at(-1).members.toSorted().join(), [id, leg.id].toSorted().join());
  await max.press("Hang up");
  await max.is("Wrap-up");
  await isRecorded(who, "wrapup");
  await ended(id);
  await ended(leg.id);
  await until("the bridge is gone", () => witness("bridge_destroyed").some((seen) => seen.bridge === bridge));
  await until("the leg's end is kept", async () => (await row("SELECT ended_ms FROM leg WHERE id = $1", leg.id)).ended_ms > 0);
  const kept = await attempt(id);
  truth(kept.live === 0 && kept.ended_ms > 0, "the call's end is not kept");
  await max.dispose(SALE);
  await max.is("Available");
  await stop(c);
});

await controls(step, { attempt, attemptTo, legs, recorded, RING });
await previews(step, { attempt, dialed, isRecorded, legs, rowIs, SALE });

await closeBrowser();
await test("all in all, the tables have the calls that the telephone network saw, and no others", async () => {
  const kinds = [["customer", "attempt", "originated_ms > 0"], ["leg", "leg", "claimed_ms > 0"]];
  for (const [kind, table, left] of kinds) {
    const seen = witness("originate").filter((call) => call.kind === kind).map((call) => call.id).sort();
    const kept = (await sql(`SELECT id FROM ${table} WHERE ${left}`)).map((call) => call.id).sort();
    equal(kept.join(" "), seen.join(" "), `${kind}s:`);
  }
});
await down();
done();
