select id, name from dt.mobs
