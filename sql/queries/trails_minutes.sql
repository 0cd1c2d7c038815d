-- GET /trails over hours: where characters were at the end of every $4-th minute from $1 up to $2, of character $3 (null: of all), oldest first.
select c.name as character_name, r.last_at as "timestamp", r.ew, r.ns, r.z
from dt.telemetry_rollup r join dt.characters c on c.id = r.character_id
where r.tier = 60 and r.bucket >= $1::timestamptz and r.bucket < $2::timestamptz and r.last_at < $2::timestamptz and r.ew is not null and r.ns is not null
and ($3::text is null or r.character_id = (select k.id from dt.characters k where k.name = $3::text))
and (extract(epoch from r.bucket)::bigint / 60) % $4::int = 0
order by r.last_at, c.name;
