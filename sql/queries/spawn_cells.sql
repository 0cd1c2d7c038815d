-- Spawns counted by hour (since 1970), cell (tenths of a degree) and monster (a number of dt.mobs), of the hours $1 (an array).
-- The first row says, with hour -1, up to which _seq of journal $2 that is all: one statement, one moment.
select -1 as hour, 0 as ew10, 0 as ns10, 0 as mob_id, coalesce((select p.seq from dt.positions p where p.sink = 'telemetry' and p.journal = $2::text), 0) as n
union all
select (extract(epoch from g.hour) / 3600)::int, g.ew10, g.ns10, g.mob_id, g.n
from dt.spawn_cells_1h g
where g.hour = any (select to_timestamp(h::float8 * 3600) from unnest($1::int[]) h);
