-- 0002: leads with a zone of their own.
-- oldest: 1
--
-- Does a list have leads with a zone of their own? Asked at each filling of a hopper while the list is
-- outside its hours.
CREATE INDEX lead_zoned ON lead (list_id) WHERE zone <> '';
