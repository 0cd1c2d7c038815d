-- The new spawns of a batch, counted in stage_spawn_cells.  A cell may be staged more than once.
insert into dt.spawn_cells_1h as c
select g.hour, g.ew10, g.ns10, g.mob_id, sum(g.n) from stage_spawn_cells g
where g.hour >= (select dt.counts_from('spawns'))
group by 1, 2, 3, 4
on conflict (hour, ew10, ns10, mob_id) do update set n = c.n + excluded.n
