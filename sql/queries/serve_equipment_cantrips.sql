-- GET /equipment-cantrips/{character}: the newest equipment_cantrip_state of $1, with when it was received.
select (x.event::jsonb || jsonb_build_object('received_at', to_char(x.received_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))::text as event
from dt.equipment_cantrips x where x.character_id = (select c.id from dt.characters c where c.name = $1::text);
