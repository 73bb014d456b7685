-- 0005: rows of leads with a zone of their own, in queue order.
-- oldest: 5
--
-- While a list is outside its hours they are all that is asked for, at each filling of a hopper: without an index of
-- their own every pending row of the list is read to find them. An older program would add rows without the mark.
ALTER TABLE queue_row ADD COLUMN zoned INTEGER NOT NULL DEFAULT 0;
UPDATE queue_row SET zoned = 1 WHERE lead_id IN (SELECT id FROM lead WHERE zone <> '');
CREATE INDEX queue_row_zoned ON queue_row (list_id, priority, due_ms, position) WHERE status = 0 AND zoned = 1;
DROP INDEX lead_zoned;
