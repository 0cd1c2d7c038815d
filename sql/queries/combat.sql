-- GET /combat-stats/{character}: $1 the character.  session: combat_stats as last sent; lifetime: the same shape, added up.  No row: nobody of that name;
-- both null: never fought.
select c.name as character_name, s.snapshot::text as session, s.session_id, case when t.character_id is not null then
	'{"totals":{"kills":' || t.kills || ',"damage_given":' || t.damage_given || ',"damage_received":' || t.damage_received || '},"monsters":{'
	|| coalesce((
		select string_agg(to_json(m.name)::text || ':{"kills":' || coalesce(k.kills, 0) || ',"given":{' || coalesce(b.given, '') || '},"received":{'
			|| coalesce(b.received, '') || '},"aetheria_surges":' || coalesce(k.aetheria_surges, 0) || ',"cloak_surges":' || coalesce(k.cloak_surges, 0) || '}',
			',' order by m.name)
		from (
			select a.mob_id, string_agg(a.elements, ',' order by a.where_) filter (where a.where_ < 4) as given,
				string_agg(a.elements, ',' order by a.where_) filter (where a.where_ >= 4) as received
			from (
				select x.mob_id, x.cell / 16 as where_, '"' || dt.combat_attack(min(x.cell)) || '":{' || string_agg('"' || dt.combat_element(x.cell)
					|| '":{"attacks":' || x.attacks || ',"failed":' || x.failed || ',"crits":' || x.crits || ',"normal_damage":' || x.normal_damage
					|| ',"max_normal":' || x.max_normal || ',"crit_damage":' || x.crit_damage || ',"max_crit":' || x.max_crit || '}', ',' order by x.cell)
					|| '}' as elements
				from dt.combat x where x.character_id = c.id group by x.mob_id, x.cell / 16
			) a group by a.mob_id
		) b
		full join (select * from dt.combat_mobs y where y.character_id = c.id) k on k.mob_id = b.mob_id
		join dt.mobs m on m.id = coalesce(b.mob_id, k.mob_id)
	), '') || '}}' end as lifetime
from dt.characters c
left join dt.combat_characters t on t.character_id = c.id
left join lateral (
	select x.snapshot, n.session as session_id from dt.combat_sessions x join dt.sessions n on n.id = x.session_id
	where x.character_id = c.id order by coalesce(x.at, x.received_at) desc, x.session_id desc limit 1
) s on true
where c.name = $1::text;
