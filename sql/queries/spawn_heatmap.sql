-- GET /spawns/heatmap: spawns of the last $1 hours, of monster $2 (null: of all), counted per cell of 0.1 degree; the $3 fullest cells.
select (cells.x / 10.0)::float8 as ew, (cells.y / 10.0)::float8 as ns, cells.n as intensity
from (
	select round(s.ew * 10)::int as x, round(s.ns * 10)::int as y, count(*) as n
	from dt.spawns s
	where s."timestamp" >= now() - make_interval(hours => $1::int)
	and ($2::text is null or s.mob_id = (select m.id from dt.mobs m where m.name = $2::text))
	group by 1, 2
) cells
order by cells.n desc, cells.x, cells.y
limit $3::bigint;
