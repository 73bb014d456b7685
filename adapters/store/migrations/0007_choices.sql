-- 0007: calls whose lead the agent has yet to choose (R14).
-- oldest: 1
--
-- Several leads have the number: 1 this very number, 2 its last ten digits. 0: there is nothing (left) to choose. It
-- outlives the daemon, so that nobody's data is shown after a restart either.
ALTER TABLE attempt ADD COLUMN choice SMALLINT NOT NULL DEFAULT 0;
