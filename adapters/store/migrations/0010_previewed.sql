-- 0010: a call that an agent has looked at first is no part of the abandonment figures (R20).
-- oldest: 1
--
-- Its agent waits for it, as for the agent's own (0008): counted among the answers it would make room for more that are abandoned.
ALTER TABLE attempt ADD COLUMN previewed SMALLINT NOT NULL DEFAULT 0;
UPDATE attempt SET previewed = 1 WHERE answered_ms > 0 AND cause = 1
  AND EXISTS (SELECT 1 FROM call_event e WHERE e.attempt_id = attempt.id AND e.state = 13);
DROP INDEX attempt_answered;
CREATE INDEX attempt_answered ON attempt (campaign_id, answered_ms, outcome) WHERE answered_ms > 0 AND cause = 1 AND previewed = 0;
