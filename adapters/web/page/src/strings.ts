// strings.ts - every word that people read, in one place. {x} is replaced.

const en = {
  product: "dialerd",
  login_title: "Sign in",
  login_user: "User",
  login_password: "Password",
  login_go: "Sign in",
  login_failed: "Signing in failed.",
  login_offline: "The daemon cannot be reached. Trying again…",
  session_ended: "Your session has ended. Please sign in again.",
  entering: "Signing in…",
  logout: "Sign out",
  loading: "Loading…",

  link_connecting: "Connecting…",
  link_lost: "Connection lost. Trying again; your call continues.",
  link_live: "Live",

  role_agent: "Agent",
  role_supervisor: "Supervisor",
  role_admin: "Administrator",

  state_offline: "Offline",
  state_connecting: "Connecting phone",
  state_available: "Available",
  state_reserved: "Call coming",
  state_busy: "In call",
  state_wrapup: "Wrap-up",
  state_break: "Break",

  call_originating: "Dialing",
  call_ringing: "Ringing",
  call_answered: "Waiting",
  call_bridging: "Connecting",
  call_bridged: "Talking",
  call_held: "On hold",
  call_message: "Message",
  call_ending: "Ending",
  call_unknown: "Unknown",

  campaign_stopped: "Stopped",
  campaign_starting: "Starting",
  campaign_running: "Running",
  campaign_stopping: "Stopping",
  campaign_parked: "Needs attention",

  notices: "What is wrong",
  daemon_RUN: "Dialing goes on.",
  daemon_NO_NEW_DIALS: "No new calls.",
  daemon_DRAIN: "The daemon is being stopped.",

  mode_manual: "Manual",
  mode_progressive: "Progressive",
  mode_ratio: "Ratio",
  mode_preview: "Preview",
  mode_predictive: "Predictive",

  kpi_available: "available",
  kpi_talking: "talking",
  kpi_wrapup: "wrapping up",
  kpi_ringing: "ringing",
  kpi_waiting: "waiting",
  kpi_waiting_of: "answered, not yet talking",
  kpi_answered: "answered",
  kpi_abandoned: "abandoned",
  kpi_of_agents: "of {n} agents",
  kpi_of_dialed: "of {n} dialed",
  kpi_of_answered: "of {n} answered",
  kpi_calls: "{n} calls in progress",

  campaigns: "Campaigns",
  campaigns_none: "No campaign yet. Add one with: dialerctl campaign add",
  agents: "Agents",
  agents_none: "Nobody has logged in yet.",
  agents_offline: "{n} offline",
  calls: "Calls",
  calls_none: "No calls right now.",
  calls_more: "and {n} more",
  systems: "Systems",

  col_agents: "Agents",
  col_available: "Available",
  col_ringing: "Ringing",
  col_waiting: "Waiting",
  col_bridged: "Talking",
  col_dialed: "Dialed",
  col_answered: "Answered",
  col_abandoned: "Abandoned",
  col_hopper: "Hopper",
  held_by: "Dialing is held back:",
  pace: "Pace:",
  held_none: "Nothing holds dialing back.",
  window_30d: "{share} abandoned in 30 days ({abandoned} of {answers} answers)",
  window_30d_none: "No answers in the last 30 days.",

  start: "Start",
  stop: "Stop",
  stop_sure: "Stop {name}? Calls that ring are finished.",

  go_to_work: "Start work",
  leave_work: "Stop work",
  status: "Status",
  to_available: "Available",
  next_status: "After this call: {state}",
  reason_break: "Break",
  reason_lunch: "Lunch",
  reason_meeting: "Meeting",
  reason_training: "Training",
  phone_off: "Your phone is not registered.",
  phone_on: "Phone ready",
  leg_up: "Line up",

  no_call: "No call",
  no_call_available: "The next call comes by itself.",
  no_call_offline: "Start work to take calls.",
  no_call_break: "You are on a break.",
  call_coming: "A call is coming",
  hang_up: "Hang up",
  attempt_no: "attempt {n}",
  lead: "Lead",
  several_leads: "{n} leads have this number. Ask who it is, then choose one.",
  several_leads_over: "{n} leads have this number, and none was chosen during the call.",
  choose_lead: "Leads with this number",
  unnamed_lead: "Without a name",
  no_fields: "This lead has no further data.",

  dial_title: "Dial a number",
  dial_number: "Number, with country code",
  dial_go: "Dial",
  dial_only_available: "You can dial while you are available.",

  dispose_title: "How did the call end?",
  dispose_note: "Note",
  dispose_callback: "Call back at",
  dispose_none: "No dispositions are set up.",
  dispose_needs_time: "Choose a time for the callback first.",

  result_refused: "Not possible now.",
  result_not_found: "Not found.",
  result_invalid: "That was not valid.",
  result_conflict: "Somebody else was first.",
  result_away: "Not reachable right now, please try again.",
  lost_request: "The connection was lost; please look whether it was done.",
} as const;

export type Word = keyof typeof en;

export function t(word: Word, values?: Record<string, string | number>): string {
  const text: string = en[word];
  return values === undefined
    ? text
    : text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** A word made of a prefix and something the daemon said; unknown ones are shown as they are. */
export function named(prefix: string, value: string): string {
  const word = `${prefix}_${value}`;
  return word in en ? t(word as Word) : value;
}
