-- GET /combat-stats: the characters that have fought, with totals, by name; after character $1 (null: from the beginning), at most $2.
select c.name as character_name, t.kills, t.damage_given, t.damage_received, t.updated_at, c.name as cursor
from dt.combat_characters t join dt.characters c on c.id = t.character_id
where $1::text is null or c.name > $1::text
order by c.name limit $2::bigint;
