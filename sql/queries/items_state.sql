-- Has anything changed?  The newest version given out, up to which version tombstones are gone, and what changes when the table is another (a restore).
select v.last_value, coalesce((select m.value from dt.meta m where m.key = 'gone_through'), '0')::bigint, pg_relation_filenode('dt.items')::bigint
from dt.version v;
