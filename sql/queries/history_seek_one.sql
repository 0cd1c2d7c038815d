-- The same, of character $4.
select min(r.bucket) from dt.telemetry_rollup r
where r.tier = $3::int and r.bucket >= $1::timestamptz and r.bucket < $2::timestamptz and r.character_id = (select k.id from dt.characters k where k.name = $4::text);
