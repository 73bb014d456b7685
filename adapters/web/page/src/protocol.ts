// protocol.ts - what goes over the socket, as PROTOCOL.md has it; tests/page compares the two.

export type Role = "agent" | "supervisor" | "admin";
export type AgentState =
  | "offline" | "connecting" | "available" | "reserved" | "busy" | "wrapup" | "break" | "preview";
export type CallState =
  | "originating" | "ringing" | "answered" | "bridging" | "bridged" | "held" | "message" | "ending"
  | "unknown";
export type CampaignState = "stopped" | "starting" | "running" | "stopping" | "parked";
export type PbxState = "down" | "connecting" | "checking" | "listing" | "up" | "replaced";
export type Result = "ok" | "refused" | "not_found" | "invalid" | "conflict" | "away";

export interface StatusUpdate {
  type: "status_update";
  agent: number;
  name: string;
  state: AgentState;
  reason: string;
  since: number;
  until: number;
  campaign: number;
  attempt: string;
  needs_disposition: boolean;
  phone_online: boolean;
  leg_up: boolean;
  next: AgentState | "";
  next_reason: string;
  text: string;
  muted: boolean;
  dials: boolean;
}

export interface Call {
  type: "call";
  attempt: string;
  campaign: number;
  agent: number;
  lead: number;
  number: string;
  name: string;
  state: CallState;
  since: number;
}

export interface Campaign {
  type: "campaign";
  campaign: number;
  name: string;
  state: CampaignState;
  mode: string;
  agents: number;
  available: number;
  busy: number;
  wrapup: number;
  claimed: number;
  ringing: number;
  waiting: number;
  bridged: number;
  dialed: number;
  answered: number;
  abandoned: number;
  hopper: number;
  answers_30d: number;
  abandoned_30d: number;
  held_by: string;
  text: string;
}

export interface Pop {
  type: "pop";
  agent: number;
  attempt: string;
  campaign: number;
  lead: number;
  number: string;
  name: string;
  attempt_no: number;
  matches: number;
  fields: Record<string, string>;
  choices: Choice[];
}

export interface Choice {
  lead: number;
  name: string;
  list: string;
}

export interface Pbx {
  type: "pbx";
  pbx: number;
  name: string;
  state: PbxState;
  text: string;
}

export interface Disposition {
  type: "disposition";
  code: string;
  campaign: number;
  name: string;
  position: number;
  callback: boolean;
}

export interface Dependency {
  type: "dependency";
  name: string;
  ready: boolean;
  text: string;
}

export interface Mode {
  type: "mode";
  mode: "RUN" | "NO_NEW_DIALS" | "DRAIN";
  cause: string;
  text: string;
  since: number;
}

export interface Alarm {
  type: "alarm";
  code: string;
  subject: string;
  text: string;
  since: number;
}

export type Item =
  (StatusUpdate | Call | Campaign | Pop | Pbx | Disposition | Dependency | Mode | Alarm) & {
    gone?: boolean;
  };

export interface Welcome {
  type: "welcome";
  time: number;
  stream: string;
  resumed: boolean;
  seq: number;
  agent: number;
  role: Role;
  name: string;
}

export interface Changes {
  type: "changes";
  time: number;
  after: number;
  seq: number;
  more: boolean;
  items: Item[];
}

export interface Reply {
  type: "reply";
  time: number;
  id: number;
  result: Result;
  text: string;
  data: unknown;
}

export type FromDaemon = Welcome | Changes | Reply;

// Requests without their id, which the link adds.
export type Request =
  | { type: "agent_login"; campaign?: number }
  | { type: "agent_logout" }
  | { type: "set_status"; state: "available" | "break"; reason?: string }
  | { type: "dial"; number: string; lead?: number }
  | { type: "hang_up" }
  | { type: "mute"; on: boolean }
  | { type: "dtmf"; digits: string }
  | { type: "preview_dial"; attempt: string }
  | { type: "preview_skip"; attempt: string; reason: string }
  | { type: "choose_lead"; attempt: string; lead: number }
  | { type: "set_disposition"; attempt: string; code: string; note?: string; callback?: number }
  | { type: "campaign_switch"; campaign: number; action: "start" | "stop" | "stop_now" }
  | { type: "explain_campaign"; campaign: number }
  | { type: "ping" };
