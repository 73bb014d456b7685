// controls.mjs - what an agent does with the call at hand, each seen on the page and by the telephone network's witness.
import { agent, ANSWER, campaign, ctl, freshNumber, killDaemon, people, startDaemon, until, witness } from "./stack.mjs";
import { equal, truth } from "./tap.mjs";

/** Somebody talks to a customer whom they have dialed. */
async function talk(sit, tools, name, leg) {
  const c = await campaign(name, "manual", `leg=${leg}`);
  const who = await agent(name.replace(/\W/g, ""), `Agent of ${name}`, c);
  const person = await sit(who);
  const number = freshNumber();

  await people(ANSWER);
  await ctl("campaign", "start", c.id);
  await person.startWork();
  await person.dial(number);
  await person.callIs("Talking");
  const { id } = await tools.attemptTo(number);
  return { c, who, person, id, leg: tools.legs(who).at(-1).id };
}

async function over({ c, person }) {
  await person.press("Hang up");
  await person.dispose(/^\d?\s*Sale/);
  await ctl("campaign", "stop", c.id, "--now");
}

const button = (person, name) => person.page.getByRole("group", { name: "Call controls" }).getByRole("button", { name });
const pressed = (person, name, is) => until(`${name} ${is ? "is on" : "is off"}`,
  async () => (await button(person, name).getAttribute("aria-pressed")) === String(is));
/** The directions of what was muted and heard again on this channel, in order. */
const voice = (id) => witness(undefined, id).filter((seen) => /^(un)?mute$/.test(seen.what)).map((seen) => `${seen.what} ${seen.direction}`);

export async function controls(step, tools) {
  await step("Mute: the customer does not hear the agent, by button or key, over a kill of the daemon, until the call ends", async (sit) => {
    const call = await talk(sit, tools, "C mute", "permanent");
    const { person, who, leg } = call;

    equal(voice(leg).join(), "", "before anything is pressed:");
    await button(person, "Mute").click();
    await person.sees("The customer does not hear you.");
    await pressed(person, "Mute", true);
    equal(voice(leg).join(), "mute in");
    equal((await tools.recorded(who)).reason, "muted");
    await person.page.keyboard.press("Alt+u");
    await pressed(person, "Mute", false);
    equal(voice(leg).join(), "mute in,unmute in");
    await person.page.keyboard.press("Alt+u");
    await pressed(person, "Mute", true);
    await killDaemon();
    await startDaemon();
    await until("it is muted again by the next daemon", () => voice(leg).length === 4);
    equal(voice(leg).at(-1), "mute in");
    await person.callIs("Talking");
    await pressed(person, "Mute", true);
    await over(call);
    await until("the leg is open for the next call", () => voice(leg).at(-1) === "unmute in");
    equal(witness("end", leg).length, 0, "the line of the agent:");
  });

  await step("Keypad: keys go to the customer's end, by mouse and by keyboard", async (sit) => {
    const call = await talk(sit, tools, "C keys", "on_demand");
    const { person, id } = call;
    const heard = () => witness("dtmf_sent", id).map((seen) => seen.digits).join("");
    const pad = person.page.getByRole("group", { name: "Keys for the customer’s end" });

    await person.page.keyboard.press("Alt+k");
    await pad.waitFor();
    await pad.getByRole("button", { name: "4", exact: true }).click();
    await person.sees("Sent: 4");
    await person.page.keyboard.type("12*0#");
    await person.sees("Sent: 412*0#");
    equal(heard(), "412*0#");
    await person.page.keyboard.press("Escape");
    await pad.waitFor({ state: "detached" });
    equal((await tools.attempt(id)).live, 1, "it lives on:");
    truth((await button(person, "Keypad").getAttribute("aria-pressed")) === "false", "the keypad is still open");
    await over(call);
  });

  await step("Controls: each says why it cannot be used while nobody talks", async (sit) => {
    const c = await campaign("C why", "manual", "leg=permanent");
    const who = await agent("cwhy", "Agent of C why", c);
    const person = await sit(who);

    await people(tools.RING);
    await ctl("campaign", "start", c.id);
    await person.startWork();
    await person.dial(freshNumber());
    await person.callIs("Ringing");
    for (const name of ["Mute", "Keypad"]) {
      equal(await button(person, name).getAttribute("aria-disabled"), "true", `${name}:`);
      equal(await button(person, name).getAttribute("title"), "Possible once you are talking.", `${name}:`);
    }
    await person.press("Hang up");
    await person.dispose(/^\d?\s*Sale/);
    await ctl("campaign", "stop", c.id, "--now");
  });
}
