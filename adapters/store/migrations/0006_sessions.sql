-- 0006: sessions of the page, which outlive the daemon.
-- oldest: 1
--
-- Only the digest of the token is here: who reads this table cannot be anybody.
CREATE TABLE session (
  digest TEXT PRIMARY KEY,               -- BLAKE2b-256 of the token, hexadecimal
  agent_id BIGINT NOT NULL,              -- 0: nobody's, may look only
  account_id BIGINT NOT NULL,
  role SMALLINT NOT NULL,
  name TEXT NOT NULL,
  expires_ms BIGINT NOT NULL
);
CREATE INDEX session_agent ON session (agent_id);
CREATE INDEX session_expires ON session (expires_ms);
