-- Characters that have changed since version $1.
select c.version, c.id, c.name, (extract(epoch from c.snapshot_at) * 1000000)::bigint, (extract(epoch from c.updated_at) * 1000000)::bigint, c.drift
from dt.characters c
where c.version > $1::bigint
order by c.version;
