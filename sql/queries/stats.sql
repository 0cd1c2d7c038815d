-- GET /stats: the totals of character $1 (null: of all).
select c.name as character_name, c.total_kills, c.total_deaths, c.total_rares, coalesce(r.n, 0) as session_rares, c.tapers as prismatic_taper_count,
	to_char(c.tapers_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as tapers_at, s.session as session_id,
	to_char(s.first_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as session_start
from dt.characters c
left join dt.sessions s on s.id = c.session_id
left join lateral (
	select count(*) as n from dt.rares r where r.character_id = c.id and r.counted and r.second >= floor(extract(epoch from s.first_at))
) r on c.total_rares > 0
where $1::text is null or c.name = $1::text
order by c.name;
