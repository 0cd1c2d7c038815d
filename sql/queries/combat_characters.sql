-- GET /combat-stats: the characters that have fought, with totals.
select c.name as character_name, t.kills, t.damage_given, t.damage_received,
	to_char(t.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as updated_at
from dt.combat_characters t join dt.characters c on c.id = t.character_id
order by c.name;
