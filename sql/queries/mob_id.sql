-- The number of monster $1.
select m.id from dt.mobs m where m.name = $1::text;
