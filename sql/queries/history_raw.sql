-- GET /history, every row: telemetry from $1 up to $2, of character $3 (null: of all), at most $4 rows, by time and character.
-- The next page: $5 the time and $6 the character_id of the last row before (null: from the beginning).
-- Of all characters ask for some minutes at a time: rows lie by time in blocks, not in order.
select t."timestamp", c.name as character_name, t.ew, t.ns, t.z,
	t.kills, t.kills_per_hour, t.onlinetime, t.deaths, t.rares_found, t.prismatic_taper_count, t.vt_state,
	t.char_tag, s.session as session_id, t.total_deaths, t.mem_mb, t.cpu_pct, t.mem_handles, t.latency_ms, t.character_id
from (
	select r.*
	from dt.telemetry r
	where r."timestamp" >= greatest($1::timestamptz, $5::timestamptz) and r."timestamp" < $2::timestamptz
	and ($3::text is null or r.character_id = (select k.id from dt.characters k where k.name = $3::text))
	and ($5::timestamptz is null or (r."timestamp", r.character_id) > ($5::timestamptz, $6::int))
	order by r."timestamp", r.character_id
	limit $4::bigint
) t
join dt.characters c on c.id = t.character_id
left join dt.sessions s on s.id = t.session_id
order by t."timestamp", t.character_id;
