-- GET /trails: positions from $1 up to $2, of character $3 (null: of all), the first of every $4 seconds of each, oldest first.
select c.name as character_name, p."timestamp", p.ew, p.ns, p.z
from (
	select s.*, lag(s.slot) over (partition by s.character_id order by s."timestamp") as slot_before
	from (
		select t.character_id, t."timestamp", t.ew, t.ns, t.z,
			floor(extract(epoch from t."timestamp" - $1::timestamptz)::float8 / $4::float8) as slot
		from dt.telemetry t
		where t."timestamp" >= $1::timestamptz and t."timestamp" < $2::timestamptz and t.ew is not null and t.ns is not null
		and ($3::text is null or t.character_id = (select k.id from dt.characters k where k.name = $3::text))
	) s
) p
join dt.characters c on c.id = p.character_id
where p.slot_before is distinct from p.slot
order by p."timestamp", c.name;
