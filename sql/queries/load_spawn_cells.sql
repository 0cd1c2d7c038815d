-- Spawns counted by hour (since 1970), cell (tenths of a degree) and monster (a number of dt.mobs), from the hour of $1 on, in that order.
-- Asked again with a late $1 it gives what the newest hours have become.
select (extract(epoch from g.hour) / 3600)::int as hour, g.ew10, g.ns10, g.mob_id, g.n
from dt.spawn_cells_1h g
where g.hour >= date_trunc('hour', $1::timestamptz, 'UTC')
order by g.hour, g.ew10, g.ns10, g.mob_id;
