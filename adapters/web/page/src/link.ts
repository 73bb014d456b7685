// link.ts - the one connection: in by cookie and ticket, snapshot, numbered changes, resume.
import { signal } from "@preact/signals";
import { dropDrafts } from "./drafts.ts";
import { change, forget, hearTime, me, welcome } from "./model.ts";
import type { FromDaemon, Reply, Request } from "./protocol.ts";
import { t } from "./strings.ts";

export type LinkState = "connecting" | "live" | "lost" | "login";
export const link = signal<LinkState>("connecting");
/** Somebody was signed in here and is no more: the session is over. */
export const ended = signal(false);
/** Why the daemon lets nobody in just now, in its words; it is asked again all the time. */
export const trouble = signal("");

const SHORTEST_MS = 250;
const LONGEST_MS = 10_000;
const POST_MS = 8_000;
/** A browser does not tell of a network that has gone silent: ask when nothing was heard, then give up. */
const QUIET_MS = 5_000;
const DEAD_MS = 8_000;

let socket: WebSocket | null = null;
let stream = "";
let seq = -1;
let wait = SHORTEST_MS;
let timer = 0;
let ids = 0;
let opening = false;
let heard = 0;
const asked = new Map<number, (reply: Reply) => void>();

export async function post(path: string, body: unknown): Promise<Response> {
  return fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    credentials: "same-origin",
    cache: "no-store",
    signal: AbortSignal.timeout(POST_MS),
  });
}

/** What a refused POST says, in words. */
export async function reason(answer: Response): Promise<string> {
  try {
    const body: unknown = await answer.json();
    const error = (body as { error?: unknown } | null)?.error;
    return typeof error === "string" ? error : t("login_failed");
  } catch {
    return t("login_failed");
  }
}

function again(): void {
  clearTimeout(timer);
  if (link.value !== "login") {
    link.value = me.value ? "lost" : "connecting";
    timer = window.setTimeout(() => void connect(), wait * (0.75 + Math.random() / 2));
    wait = Math.min(wait * 2, LONGEST_MS);
  }
}

function lostRequests(): void {
  const text = t("lost_request");
  for (const [id, done] of asked) {
    done({ type: "reply", time: 0, id, result: "away", text, data: null });
  }
  asked.clear();
}

function hear(message: FromDaemon): void {
  hearTime(message.time);
  switch (message.type) {
    case "welcome":
      welcome(message);
      stream = message.stream;
      seq = message.resumed ? seq : 0;
      wait = SHORTEST_MS;
      trouble.value = "";
      link.value = "live";
      break;
    case "changes":
      if (message.after !== seq) {
        socket?.close(); // a gap: the next connection resumes, or brings everything
        return;
      }
      seq = message.seq;
      change(message);
      break;
    case "reply":
      asked.get(message.id)?.(message);
      asked.delete(message.id);
      break;
  }
}

function gone(ws: WebSocket): void {
  if (socket === ws) {
    socket = null;
    lostRequests();
    again();
  }
}

function listen(): void {
  const ws = socket;
  const silent = performance.now() - heard;
  if (ws !== null && silent > DEAD_MS) {
    gone(ws); // its closing handshake would not be answered either
    ws.close();
  } else if (ws !== null && silent > QUIET_MS && ws.readyState === WebSocket.OPEN) {
    void request({ type: "ping" });
  }
}
window.setInterval(listen, 1_000);

function open(ticket: string): void {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const ws = new WebSocket(`${scheme}//${location.host}/socket`, "dialer.v1");

  socket = ws;
  ws.onopen = () =>
    ws.send(JSON.stringify({
      type: "hello",
      ticket,
      ...(seq >= 0 ? { resume: { stream, seq } } : {}),
    }));
  heard = performance.now();
  ws.onmessage = (event) => {
    heard = performance.now();
    hear(JSON.parse(String(event.data)) as FromDaemon);
  };
  ws.onclose = () => gone(ws);
}

export async function connect(): Promise<void> {
  clearTimeout(timer);
  if (opening) {
    return;
  }
  opening = true;
  try {
    const answer = await post("/ticket", {});
    if (answer.status === 401) {
      ended.value = me.value !== null;
      leave();
      return;
    }
    if (!answer.ok) {
      trouble.value = await reason(answer);
      again();
      return;
    }
    const body = (await answer.json()) as { ticket: string };
    open(body.ticket);
  } catch {
    trouble.value = "";
    again();
  } finally {
    opening = false;
  }
}

function leave(): void {
  const old = socket;
  socket = null;
  old?.close();
  seq = -1;
  me.value = null;
  trouble.value = "";
  link.value = "login";
  forget();
}

/** After a login: begin as somebody new. */
export function enter(): void {
  ended.value = false;
  link.value = "connecting";
  wait = SHORTEST_MS;
  void connect();
}

export async function logout(): Promise<void> {
  try {
    await post("/logout", {});
  } catch {
    // Not reachable: this page forgets all the same, the session ends by itself.
  }
  dropDrafts();
  ended.value = false;
  leave();
}

/** Ask the daemon; the reply always comes, if need be our own "away". */
export function request(what: Request): Promise<Reply> {
  const id = ++ids;
  return new Promise((done) => {
    if (socket === null || socket.readyState !== WebSocket.OPEN) {
      done({ type: "reply", time: 0, id, result: "away", text: t("no_link"), data: null });
      return;
    }
    asked.set(id, done);
    socket.send(JSON.stringify({ ...what, id }));
  });
}

// The network is back, or the laptop's lid is open: not wait for the timer.
function hurry(): void {
  if (socket === null && link.value !== "login") {
    wait = SHORTEST_MS;
    void connect();
  }
}
window.addEventListener("online", hurry);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) {
    hurry();
  }
});
