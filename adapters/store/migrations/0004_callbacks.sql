-- 0004: callbacks that are due, before everything else (R15).
-- oldest: 1
CREATE INDEX queue_row_callback ON queue_row (list_id, due_ms) WHERE status = 0 AND callback = 1;
