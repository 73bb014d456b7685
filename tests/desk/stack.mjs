// stack.mjs - everything behind the browser, real: dialerd, PostgreSQL, Redis, and ari-sim as the telephone network. One of
// each for a whole file of tests, in a folder of its own, on ports that nobody else has.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const PATIENCE_MS = 30_000; // for what hangs, not for what is slow
export const PASSWORD = "correct horse battery"; // everybody's

const folder = mkdtempSync(join(tmpdir(), "desk-"));
const path = (name) => join(folder, name);
const run = promisify(execFile);

function put(name, text) {
  writeFileSync(path(name), text, { mode: 0o600 });
  return path(name);
}

/** The file with everybody's password. */
export const secret = put("secret", `${PASSWORD}\n`);

// Whoever ends this from outside (a limit, a person) ends everything: what begin() starts dies with this process, the services
// end with their input, and Playwright kills its browser at an exit. Its own handlers would go on with the next step.
for (const [signal, number] of [["SIGHUP", 1], ["SIGINT", 2], ["SIGTERM", 15]]) {
  process.on(signal, () => process.exit(128 + number));
}
process.on("exit", () => {
  if (!process.env.DESK_KEEP) {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** A program that ends with this one, however that ends. Its lines go to `hear`. */
function begin(program, args, hear) {
  const child = spawn("setpriv", ["--pdeathsig", "KILL", program, ...args], { stdio: ["pipe", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", hear);
  }
  return child;
}

/** Runs it and waits for a line of its with these words; returns what stands behind them. */
function said(lines, child, words) {
  return new Promise((found, lost) => {
    const look = (line) => {
      const at = line.indexOf(words);
      if (at >= 0) {
        found(line.slice(at + words.length));
      }
    };
    lines.push(look);
    child.once("exit", (code) => lost(new Error(`ended with ${code} before it said "${words}"`)));
  });
}

async function end(child, signal) {
  if (child !== undefined && child.exitCode === null && child.signalCode === null) {
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
  }
}

/** Waits until `check` gives something true, and returns it. It looks again whenever the witness has seen something, and
 * a few times a second: what it waits for is also in other places. */
export async function until(what, check) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const got = await check();
    if (got) {
      return got;
    }
    if (Date.now() > deadline) {
      throw new Error(`waited in vain: ${what}`);
    }
    await new Promise((again) => {
      const look = () => {
        clearTimeout(timer);
        eyes.close();
        again();
      };
      const timer = setTimeout(look, 100);
      const eyes = watch(path("witness"), look);
    });
  }
}

// --- PostgreSQL and Redis ----------------------------------------------------------------------

let services;
const answers = [];

/** The rows of a query; its values are its parameters. */
export async function sql(query, ...values) {
  const answer = new Promise((done) => answers.push(done));
  services.stdin.write(`${[query.replace(/\s+/g, " "), ...values].join("\t")}\n`);
  const rows = JSON.parse(await answer);
  if (rows.error) {
    throw new Error(`${rows.error}: ${query}`);
  }
  return rows;
}

export async function row(query, ...values) {
  return (await sql(query, ...values))[0];
}

/** redis-cli's words: its answer's lines. */
export async function redis(...words) {
  const { stdout } = await run("redis-cli", ["-p", String(where.redis), ...words]);
  return stdout.trimEnd().split("\n");
}

// --- Asterisk ----------------------------------------------------------------------------------

let sim;
let ari;
let control;

export async function order(what) {
  const answer = await fetch(`http://127.0.0.1:${control}/sim/${what}`);
  if (!answer.ok) {
    throw new Error(`ari-sim does not do ${what}: ${answer.status} ${await answer.text()}`);
  }
}

/** What the people who are called do from now on. Nobody answers before `order("answer")`, if they ring. */
export const RING = "human=1&no-answer=0&busy=0&machine=0&bad=0&congestion=0&setup=constant:0.05&ring=constant:600&talk=constant:600";
export const ANSWER = RING.replace("ring=constant:600", "ring=constant:0.2");
export const BUSY = RING.replace("human=1", "human=0").replace("busy=0", "busy=1");
export const people = (how) => order(`people?${how}`);

/** Asterisk's own word, as its user. */
export async function asterisk(method, target, body) {
  const answer = await fetch(`http://127.0.0.1:${ari}/ari/${target}`, {
    method,
    headers: { "Authorization": `Basic ${btoa("dialer:correct horse")}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) {
    throw new Error(`${method} ${target}: ${answer.status}`);
  }
  const text = await answer.text();
  return text === "" ? null : JSON.parse(text);
}

/** What an observer of the telephone network saw, in its order. */
export function witness(what, id) {
  return readFileSync(path("witness"), "utf8").split("\n").slice(0, -1).map((line) => JSON.parse(line))
    .filter((seen) => (what === undefined || seen.what === what) && (id === undefined || seen.id === id));
}

// --- the daemon --------------------------------------------------------------------------------

let daemon;
let port = 0;
let where;
let heard = [];
export const log = [];

function launch() {
  heard = [];
  daemon = begin(process.env.DIALERD, ["--config", path("conf")], (line) => {
    log.push(line);
    heard.forEach((look) => look(line));
  });
  return said(heard, daemon, "page at http://127.0.0.1:");
}

export async function startDaemon() {
  port = Number.parseInt(await launch(), 10);
  await until("the daemon is ready", async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok);
}

/** kill -9 */
export async function killDaemon() {
  await end(daemon, "SIGKILL");
}

/** dialerctl with these words: its JSON. */
export async function ctl(...words) {
  const { stdout } = await run(process.env.DIALERCTL, ["--socket", path("ctl"), "--json", ...words.map(String)]);
  return stdout === "" ? null : JSON.parse(stdout);
}

// --- the network between browser and daemon ------------------------------------------------------

const wires = new Set();
let broken = false;
const network = createServer((browser) => {
  if (broken) {
    browser.resetAndDestroy();
    return;
  }
  const far = createConnection(port, "127.0.0.1");
  for (const [one, other] of [[browser, far], [far, browser]]) {
    wires.add(one);
    one.pipe(other);
    one.on("error", () => other.destroy());
    one.on("close", () => {
      wires.delete(one);
      other.destroy();
    });
  }
});

/** Every connection breaks, and there are no new ones. */
export function cut() {
  broken = true;
  wires.forEach((wire) => wire.resetAndDestroy());
}

export function mend() {
  broken = false;
}

/** Where browsers find the daemon; the same place after a restart of the daemon. */
export let base = "";

// --- all of it -----------------------------------------------------------------------------------

export async function up() {
  services = spawn(process.env.DESK_SERVICES, [], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: services.stdout });
  const [first] = await Promise.race([once(lines, "line"), once(services, "exit")]);
  if (typeof first !== "string") {
    console.log("1..0 # SKIP PostgreSQL or Redis is not installed");
    process.exit(first === 77 ? 77 : 1);
  }
  where = JSON.parse(first);
  lines.on("line", (line) => answers.shift()(line));

  put("witness", "");
  const simLines = [];
  sim = begin(process.env.ARI_SIM, ["--port", "0", "--control-port", "0", "--witness", path("witness"),
    "--user", `dialer:${put("password", "correct horse\n")}`, "--trunk", "carrier,cps=100,lines=200",
    "--phones", "agent*,answer=50", "--sound", "safe-harbour=1", "--sound", "beep=0.1"],
  (line) => simLines.forEach((look) => look(line)));
  const [ariAt, controlAt] = await Promise.all(["listening", "control"].map((word) => said(simLines, sim, `${word} 127.0.0.1:`)));
  ari = Number.parseInt(ariAt, 10);
  control = Number.parseInt(controlAt, 10);

  network.listen(0, "127.0.0.1");
  await once(network, "listening");
  base = `http://127.0.0.1:${network.address().port}`;
  put("conf", `[daemon]
name = desk
drain_time = 1s
[store]
url = "${where.store}"
[hopper]
url = redis://127.0.0.1:${where.redis}/0
[pbx sim]
url = http://127.0.0.1:${ari}
password_file = "${path("password")}"
[web]
port = 0
origins = "${base}"
[ctl]
socket = "${path("ctl")}"
`);
  await startDaemon();
}

export async function down() {
  await end(daemon, "SIGTERM");
  await end(sim, "SIGTERM");
  services.stdin.end();
  if (services.exitCode === null) {
    await once(services, "exit");
  }
  network.close();
  if (process.env.DESK_KEEP) {
    put("dialerd.log", log.join("\n"));
    console.log(`# kept: ${folder}`);
  }
}

// --- campaigns, leads, agents --------------------------------------------------------------------

let numbers = 0;

/** A fictional number that nobody else has. */
export function freshNumber() {
  const n = numbers++;
  return `+1${212 + Math.floor(n / 100)}55501${String(n % 100).padStart(2, "0")}`;
}

/** A campaign with a trunk and a list of its own; settings as NAME=VALUE. */
export async function campaign(name, mode, ...settings) {
  const trunk = await ctl("trunk", "add", `trunk ${name}`, "endpoint=PJSIP/{number}@carrier", "pbx=1", "lines=50", "cps=50");
  const made = await ctl("campaign", "add", name, `mode=${mode}`, `trunk=${trunk.id}`, "caller_id=+12125550100",
    "prefixes=+1", "from=00:00", "to=00:00", "message=safe-harbour", ...settings);
  const list = await ctl("list", "add", `list ${name}`, "--campaign", made.id);
  return { id: made.id, name, list: list.id };
}

/** Leads as an import brings them; returns their rows in the queue, in order. */
export async function leads(where_, people_) {
  const columns = [...new Set(people_.flatMap((person) => Object.keys(person)))];
  const file = put("leads.csv", [columns, ...people_.map((person) => columns.map((name) => person[name] ?? ""))]
    .map((line) => line.map((cell) => `"${String(cell).replace(/"/g, '""')}"`).join(",")).join("\n") + "\n");
  await ctl("lead", "import", file, "--list", where_.list);
  return sql("SELECT q.id, q.lead_id, l.number, l.name FROM queue_row q JOIN lead l ON l.id = q.lead_id WHERE q.list_id = $1::bigint"
    + " ORDER BY q.position, q.id", where_.list);
}

let phones = 0;

export async function agent(login, name, in_, ...settings) {
  const phone = `agent${++phones}`;
  const { id } = await ctl("agent", "add", login, "--name", name, "--password-file", secret, `phone=PJSIP/${phone}`,
    "phone_enabled=on", "pbx=1", ...settings);
  await ctl("agent", "assign", id, "--campaign", in_.id);
  return { id, login, name, phone };
}
