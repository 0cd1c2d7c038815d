-- An item that was nowhere and is known to have been lost by somebody else has moved from there.
insert into dt.item_moves (at, item_id, name, kind, from_character, to_character, from_container, to_container, stack_before, stack_after, source)
select g.at, g.item_id, g.name, case when l.from_character <> g.to_character then 'moved' else g.kind end, coalesce(g.from_character, l.from_character),
	g.to_character, coalesce(g.from_container, l.from_container), g.to_container, coalesce(g.stack_before, l.stack_before), g.stack_after, g.source
from stage_moves g
left join lateral (
	select m.from_character, m.from_container, m.stack_before from dt.item_moves m
	where g.kind = 'looted' and g.from_character is null and m.item_id = g.item_id and m.kind = 'lost' order by m.id desc limit 1
) l on true
order by g.n
