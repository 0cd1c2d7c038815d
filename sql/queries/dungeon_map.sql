-- GET /dungeon-map/{landblock}: the newest map of landblock $1, four hex digits in capitals.
select x.event::text as event from dt.dungeon_maps x where x.landblock = $1::text;
