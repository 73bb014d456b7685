-- 0009: preview mode: how long an agent may look at a lead before it is dialed, and what happens then.
-- oldest: 1
ALTER TABLE campaign ADD COLUMN preview_s BIGINT NOT NULL DEFAULT 60;
ALTER TABLE campaign ADD COLUMN preview_expiry SMALLINT NOT NULL DEFAULT 1; -- 1 dial, 2 not_ready
