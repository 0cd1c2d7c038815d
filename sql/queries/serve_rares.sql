-- GET /rares: of character $1, of tier $2, from $3 up to $4 (each null: all), newest first; before the time $5 and number $6 (null: from the beginning), at most $7.
select r."timestamp", c.name as character_name, r.name, r.tier, r.ew, r.ns, r.z, r.id
from dt.rares r join dt.characters c on c.id = r.character_id
where ($1::text is null or r.character_id = (select k.id from dt.characters k where k.name = $1::text)) and ($2::text is null or r.tier = $2::text)
and ($3::timestamptz is null or r."timestamp" >= $3::timestamptz) and ($4::timestamptz is null or r."timestamp" < $4::timestamptz)
and ($5::timestamptz is null or (r."timestamp", r.id) < ($5::timestamptz, $6::bigint))
order by r."timestamp" desc, r.id desc limit $7::bigint;
