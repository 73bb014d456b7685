-- 0003: talks that are over and wait for their disposition.
-- oldest: 1
--
-- Read at each start of a daemon: their wrap-ups go on.
CREATE INDEX attempt_wrapup ON attempt (campaign_id) WHERE live = 0 AND outcome = 8 AND disposed_ms = 0;
