-- 0008: the abandonment figures count automatic calls only (R20).
-- oldest: 1
--
-- An agent's own call cannot be abandoned; counted among the answers it would make room for more that are.
DROP INDEX attempt_answered;
CREATE INDEX attempt_answered ON attempt (campaign_id, answered_ms, outcome) WHERE answered_ms > 0 AND cause = 1;
