-- GET /stats: totals of character $1 (null: of all), with its newest telemetry; sorted by $2, $3 = 1 ascending or -1 descending; at most $4, from $5 on.
select f.character_name, f.total_kills, f.total_deaths, f.total_rares, f.session_rares, f.prismatic_taper_count, f.session_id, f.session_start,
	(select json_build_object('timestamp', to_char(t."timestamp" at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'ew', t.ew, 'ns', t.ns, 'z', t.z,
		'kills', t.kills, 'kills_per_hour', t.kills_per_hour, 'onlinetime', t.onlinetime, 'deaths', t.deaths, 'total_deaths', t.total_deaths,
		'rares_found', t.rares_found, 'prismatic_taper_count', t.prismatic_taper_count, 'vt_state', t.vt_state, 'char_tag', t.char_tag,
		'session_id', (select n.session from dt.sessions n where n.id = t.session_id),
		'mem_mb', t.mem_mb, 'cpu_pct', t.cpu_pct, 'mem_handles', t.mem_handles, 'latency_ms', t.latency_ms)
	from dt.telemetry t where t.character_id = f.id and t."timestamp" = f.telemetry_at) as latest
from (
	select c.id, c.telemetry_at, c.name as character_name, c.total_kills, c.total_deaths, c.total_rares, coalesce(r.n, 0) as session_rares,
		c.tapers as prismatic_taper_count, s.session as session_id, s.first_at as session_start
	from dt.characters c
	left join dt.sessions s on s.id = c.session_id
	left join lateral (
		select count(*) as n from dt.rares r where r.character_id = c.id and r.counted and r.second >= floor(extract(epoch from s.first_at))
	) r on c.total_rares > 0
	where $1::text is null or c.name = $1::text
	order by $3::int * case $2::text when 'total_kills' then c.total_kills when 'total_deaths' then c.total_deaths when 'total_rares' then c.total_rares
			when 'session_rares' then coalesce(r.n, 0) when 'prismatic_taper_count' then c.tapers
			when 'session_start' then extract(epoch from s.first_at) end nulls last,
		case when $2::text = 'character_name' and $3::int = -1 then c.name end desc, c.name
	limit $4::bigint offset $5::bigint
) f;
