-- 0001: everything a campaign needs to dial.
-- oldest: 1
--
-- One text for both backends. @ID@ is the only place where they differ (a key the store counts up itself). Times are
-- UTC milliseconds, 0 none; ids 0 none; flags 0 or 1; enums are those of actors/types.h.

CREATE TABLE installation (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  node INTEGER NOT NULL,                 -- four hexadecimal digits, in the ids of channels
  starts BIGINT NOT NULL,                -- how often a daemon has taken this store
  owner TEXT NOT NULL,
  since_ms BIGINT NOT NULL,
  beat_ms BIGINT NOT NULL
);

CREATE TABLE account (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL
);
INSERT INTO account (id, name) VALUES (1, 'main');

CREATE TABLE pbx (
  id BIGINT PRIMARY KEY,                 -- as in the configuration file
  name TEXT NOT NULL
);

CREATE TABLE trunk (
  id @ID@,
  name TEXT NOT NULL UNIQUE,
  pbx BIGINT NOT NULL,
  endpoint TEXT NOT NULL,                -- dial string template, {number} stands for the digits
  lines BIGINT NOT NULL,
  calls_per_s DOUBLE PRECISION NOT NULL
);

CREATE TABLE campaign (
  id @ID@,
  account_id BIGINT NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  mode SMALLINT NOT NULL,
  active SMALLINT NOT NULL,              -- wanted running
  trunk_id BIGINT NOT NULL,
  context TEXT NOT NULL,
  caller_id TEXT NOT NULL,
  prefixes TEXT NOT NULL,
  country TEXT NOT NULL,
  zone TEXT NOT NULL,
  window_from_min INTEGER NOT NULL,
  window_to_min INTEGER NOT NULL,
  ratio DOUBLE PRECISION NOT NULL,
  max_lines BIGINT NOT NULL,
  ring_s BIGINT NOT NULL,
  answer_wait_ms BIGINT NOT NULL,
  wrapup_s BIGINT NOT NULL,
  retry_s BIGINT NOT NULL,
  no_answer_s BIGINT NOT NULL,
  busy_s BIGINT NOT NULL,
  abandoned_s BIGINT NOT NULL,
  not_disposed_s BIGINT NOT NULL,
  fault_s BIGINT NOT NULL,
  max_attempts BIGINT NOT NULL,
  hopper_size BIGINT NOT NULL,
  hopper_low BIGINT NOT NULL,
  claim_ahead_ms BIGINT NOT NULL,
  claim_ahead_max BIGINT NOT NULL,
  message TEXT NOT NULL,
  leg SMALLINT NOT NULL,
  tone TEXT NOT NULL,
  abandon_limit_bp BIGINT NOT NULL,
  max_call_s BIGINT NOT NULL,
  UNIQUE (account_id, name)
);

-- Who may claim for a campaign. Every claim reads this row in its own transaction; epoch grows with each take-over.
CREATE TABLE campaign_lease (
  campaign_id BIGINT PRIMARY KEY REFERENCES campaign (id),
  owner TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL
);

CREATE TABLE agent (
  id @ID@,
  account_id BIGINT NOT NULL REFERENCES account (id),
  login TEXT NOT NULL,
  name TEXT NOT NULL,
  password TEXT NOT NULL,                -- Argon2id
  role SMALLINT NOT NULL,
  enabled SMALLINT NOT NULL,
  campaign_id BIGINT NOT NULL,           -- where the agent works now (R1)
  endpoint TEXT NOT NULL,
  pbx BIGINT NOT NULL,
  phone_kind SMALLINT NOT NULL,
  phone_enabled SMALLINT NOT NULL,
  wrapup_default_s BIGINT NOT NULL,
  busy_reset_s BIGINT NOT NULL,
  link_grace_s BIGINT NOT NULL,
  leg_ring_s BIGINT NOT NULL,
  UNIQUE (account_id, login)
);

CREATE TABLE campaign_agent (
  campaign_id BIGINT NOT NULL REFERENCES campaign (id),
  agent_id BIGINT NOT NULL REFERENCES agent (id),
  PRIMARY KEY (campaign_id, agent_id)
);

CREATE TABLE list (
  id @ID@,
  account_id BIGINT NOT NULL REFERENCES account (id),
  campaign_id BIGINT NOT NULL,           -- 0: not assigned
  name TEXT NOT NULL,
  country TEXT NOT NULL,
  zone TEXT NOT NULL,
  priority BIGINT NOT NULL,
  active SMALLINT NOT NULL,
  manual SMALLINT NOT NULL,              -- made by manual calls, never dialed automatically
  UNIQUE (account_id, campaign_id, name)
);

CREATE TABLE import (
  id @ID@,
  list_id BIGINT NOT NULL REFERENCES list (id),
  key TEXT NOT NULL,
  who TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  UNIQUE (list_id, key)
);

CREATE TABLE lead (
  id @ID@,
  list_id BIGINT NOT NULL REFERENCES list (id),
  import_id BIGINT NOT NULL,
  number TEXT NOT NULL,                  -- E.164
  tail BIGINT NOT NULL,                  -- last ten digits (R14)
  name TEXT NOT NULL,
  zone TEXT NOT NULL,
  fields TEXT NOT NULL,                  -- JSON object, string values
  created_ms BIGINT NOT NULL
);
-- A number once in a list, and found by its last ten digits: one index for both, because numbers come in no order and each
-- index on them is most of what an import costs.
CREATE UNIQUE INDEX lead_number ON lead (list_id, tail, number);
CREATE INDEX lead_created ON lead (created_ms, id);

-- One row for each lead of a list. Number, account and campaign stand here too, so that a claim reads one row.
CREATE TABLE queue_row (
  id @ID@,
  list_id BIGINT NOT NULL REFERENCES list (id),
  lead_id BIGINT NOT NULL REFERENCES lead (id),
  status SMALLINT NOT NULL,
  final SMALLINT NOT NULL,               -- never dialed automatically again
  callback SMALLINT NOT NULL,            -- the customer asked for it: does not count against the attempts
  priority BIGINT NOT NULL,
  due_ms BIGINT NOT NULL,
  position BIGINT NOT NULL,
  attempts BIGINT NOT NULL,              -- that counted
  last_no BIGINT NOT NULL,               -- number of the last attempt, counted or not
  cause TEXT NOT NULL                    -- why it is where it is
);
CREATE UNIQUE INDEX queue_row_lead ON queue_row (lead_id);
-- Queue order, of what may be dialed only: the refill reads its first rows and stops.
CREATE INDEX queue_row_next ON queue_row (list_id, priority, due_ms, position) WHERE status = 0;
-- What will come back, by its time.
CREATE INDEX queue_row_due ON queue_row (list_id, due_ms) WHERE status = 4 AND final = 0;

CREATE TABLE attempt (
  id TEXT PRIMARY KEY,                   -- the ARI channel id
  account_id BIGINT NOT NULL,
  campaign_id BIGINT NOT NULL REFERENCES campaign (id),
  list_id BIGINT NOT NULL,
  row_id BIGINT NOT NULL,
  lead_id BIGINT NOT NULL REFERENCES lead (id),
  attempt_no BIGINT NOT NULL,
  number TEXT NOT NULL,
  cause SMALLINT NOT NULL,
  epoch BIGINT NOT NULL,
  agent_id BIGINT NOT NULL,
  trunk_id BIGINT NOT NULL,
  pbx BIGINT NOT NULL,
  caller_id TEXT NOT NULL,
  zone TEXT NOT NULL,                    -- the callee's, as known when it was claimed (R17)
  zone_source TEXT NOT NULL,             -- lead, list, campaign
  live SMALLINT NOT NULL,                -- has not ended
  state SMALLINT NOT NULL,
  outcome SMALLINT NOT NULL,
  q850 INTEGER NOT NULL,
  sip INTEGER NOT NULL,
  counts SMALLINT NOT NULL,              -- uses one of the lead's attempts
  claimed_ms BIGINT NOT NULL,
  originated_ms BIGINT NOT NULL,
  ringing_ms BIGINT NOT NULL,
  answered_ms BIGINT NOT NULL,
  bridged_ms BIGINT NOT NULL,
  ended_ms BIGINT NOT NULL,
  disposition TEXT NOT NULL,
  disposed_by TEXT NOT NULL,             -- agent, system
  disposed_ms BIGINT NOT NULL,
  note TEXT NOT NULL
);
CREATE UNIQUE INDEX attempt_no ON attempt (lead_id, attempt_no);
-- R10: in the whole account one attempt to a number that has not ended.
CREATE UNIQUE INDEX attempt_live ON attempt (account_id, number) WHERE live = 1;
CREATE INDEX attempt_number ON attempt (account_id, number, claimed_ms);
CREATE INDEX attempt_claimed ON attempt (claimed_ms, id);
CREATE INDEX attempt_answered ON attempt (campaign_id, answered_ms, outcome) WHERE answered_ms > 0;

-- Agents' legs, transfers, snoops: every originate that is not a customer's.
CREATE TABLE leg (
  id TEXT PRIMARY KEY,
  agent_id BIGINT NOT NULL REFERENCES agent (id),
  kind SMALLINT NOT NULL,
  pbx BIGINT NOT NULL,
  endpoint TEXT NOT NULL,
  attempt_id TEXT NOT NULL,
  claimed_ms BIGINT NOT NULL,
  answered_ms BIGINT NOT NULL,
  ended_ms BIGINT NOT NULL,
  cause INTEGER NOT NULL
);
CREATE INDEX leg_live ON leg (agent_id) WHERE ended_ms = 0;
CREATE INDEX leg_claimed ON leg (claimed_ms, id);

-- Append-only: what happened to calls, and to agents.
CREATE TABLE call_event (
  id @ID@,
  attempt_id TEXT NOT NULL,
  state SMALLINT NOT NULL,
  outcome SMALLINT NOT NULL,
  agent_id BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  text TEXT NOT NULL                     -- disposition code, reason
);
CREATE UNIQUE INDEX call_event_once ON call_event (attempt_id, at_ms, state, text);

CREATE TABLE agent_event (
  id @ID@,
  agent_id BIGINT NOT NULL REFERENCES agent (id),
  state SMALLINT NOT NULL,
  reason TEXT NOT NULL,
  campaign_id BIGINT NOT NULL,
  attempt_id TEXT NOT NULL,
  at_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX agent_event_once ON agent_event (agent_id, at_ms, state, reason, attempt_id);

CREATE TABLE disposition (
  account_id BIGINT NOT NULL REFERENCES account (id),
  code TEXT NOT NULL,
  name TEXT NOT NULL,
  reached SMALLINT NOT NULL,
  machine SMALLINT NOT NULL,
  sale SMALLINT NOT NULL,
  final SMALLINT NOT NULL,
  counts SMALLINT NOT NULL,
  dnc SMALLINT NOT NULL,
  callback SMALLINT NOT NULL,
  offered SMALLINT NOT NULL,             -- to agents; else the system's
  recycle_s BIGINT NOT NULL,             -- 0 none, -1 the campaign's delay for this outcome
  PRIMARY KEY (account_id, code)
);
INSERT INTO disposition
  (account_id, code, name, reached, machine, sale, final, counts, dnc, callback, offered, recycle_s) VALUES
  (1, 'sale', 'Sale', 1, 0, 1, 1, 1, 0, 0, 1, 0),
  (1, 'not_interested', 'Not interested', 1, 0, 0, 1, 1, 0, 0, 1, 0),
  (1, 'callback', 'Call back', 1, 0, 0, 0, 1, 0, 1, 1, 0),
  (1, 'no_answer', 'No answer', 0, 0, 0, 0, 1, 0, 0, 1, -1),
  (1, 'busy', 'Busy', 0, 0, 0, 0, 1, 0, 0, 1, -1),
  (1, 'machine', 'Answering machine', 0, 1, 0, 0, 1, 0, 0, 1, -1),
  (1, 'wrong_number', 'Wrong number', 1, 0, 0, 1, 1, 0, 0, 1, 0),
  (1, 'language', 'Language barrier', 1, 0, 0, 1, 1, 0, 0, 1, 0),
  (1, 'dead_line', 'Nothing to be heard', 0, 0, 0, 0, 1, 0, 0, 1, -1),
  (1, 'dnc', 'Do not call', 1, 0, 0, 1, 1, 1, 0, 1, 0),
  (1, 'not_disposed', 'Not disposed', 1, 0, 0, 0, 1, 0, 0, 0, -1);

CREATE TABLE callback (
  id @ID@,
  attempt_id TEXT NOT NULL UNIQUE,
  campaign_id BIGINT NOT NULL,
  lead_id BIGINT NOT NULL,
  row_id BIGINT NOT NULL,
  agent_id BIGINT NOT NULL,              -- who promised it
  due_ms BIGINT NOT NULL,
  zone TEXT NOT NULL,
  note TEXT NOT NULL,
  created_ms BIGINT NOT NULL
);

CREATE TABLE suppressed (
  account_id BIGINT NOT NULL REFERENCES account (id),
  number TEXT NOT NULL,
  source TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (account_id, number)
);

CREATE TABLE audit (
  id @ID@,
  at_ms BIGINT NOT NULL,
  who TEXT NOT NULL,
  kind TEXT NOT NULL,
  subject BIGINT NOT NULL,
  field TEXT NOT NULL,
  old TEXT NOT NULL,
  new TEXT NOT NULL
);

CREATE TABLE alarm (
  id @ID@,
  code TEXT NOT NULL,
  subject TEXT NOT NULL,
  text TEXT NOT NULL,
  started_ms BIGINT NOT NULL,
  ended_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX alarm_standing ON alarm (code, subject) WHERE ended_ms = 0;
