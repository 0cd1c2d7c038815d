-- For an audit: all that adds up, a line each: kind, journal and seq of the event that it began with, whose it is, what it is; by tabs.  The first line is
-- the position: the first event stored of the journal, and the last.  scripts/audit.awk compares the lines of two databases.
select line from (
	select 1 as n, 'position' as kind, '' as key, concat_ws(E'\t', 'position', p.journal, coalesce(p.first_seq, 0), '', p.seq) as line
	from (select * from dt.positions where sink = 'telemetry' order by at desc limit 1) p
	union all
	select 2, 'character', c.name, concat_ws(E'\t', 'character', coalesce(c.journal, ''), coalesce(c.first_seq, 0), to_json(c.name)::text,
		concat('kills=', c.total_kills, ' deaths=', c.total_deaths, ' rares=', c.total_rares, ' tapers=', c.tapers))
	from dt.characters c
	union all
	select 2, 'session', c.name || s.session, concat_ws(E'\t', 'session', coalesce(s.journal, ''), coalesce(s.first_seq, 0),
		json_build_array(c.name, s.session)::text, concat('kills=', s.kills_sum, ' deaths=', s.deaths_sum, ' last_kills=', s.kills, ' last_deaths=', s.deaths))
	from dt.sessions s join dt.characters c on c.id = s.character_id
	union all
	select 2, 'combat_session', c.name || s.session, concat_ws(E'\t', 'combat_session', coalesce(s.journal, ''), coalesce(s.first_seq, 0),
		json_build_array(c.name, s.session)::text, concat('kills=', x.kills_sum, ' damage_given=', x.damage_given_sum, ' damage_received=', x.damage_received_sum,
		' seq=', x.seq, ' snapshot=', md5(x.snapshot::text)))
	from dt.combat_sessions x join dt.sessions s on s.id = x.session_id join dt.characters c on c.id = x.character_id
	union all
	select 2, 'combat', c.name, concat_ws(E'\t', 'combat', coalesce(c.journal, ''), coalesce(c.first_seq, 0), to_json(c.name)::text,
		concat('kills=', x.kills, ' damage_given=', x.damage_given, ' damage_received=', x.damage_received))
	from dt.combat_characters x join dt.characters c on c.id = x.character_id
	union all
	select 2, 'combat_monster', c.name || m.name, concat_ws(E'\t', 'combat_monster', coalesce(c.journal, ''), coalesce(c.first_seq, 0),
		json_build_array(c.name, m.name)::text, concat('kills=', x.kills, ' aetheria_surges=', x.aetheria_surges, ' cloak_surges=', x.cloak_surges))
	from dt.combat_mobs x join dt.characters c on c.id = x.character_id join dt.mobs m on m.id = x.mob_id
	union all
	select 2, 'combat_counters', c.name || m.name || x.cell, concat_ws(E'\t', 'combat_counters', coalesce(c.journal, ''), coalesce(c.first_seq, 0),
		json_build_array(c.name, m.name, dt.combat_direction(x.cell), dt.combat_attack(x.cell), dt.combat_element(x.cell))::text,
		concat('attacks=', x.attacks, ' failed=', x.failed, ' crits=', x.crits, ' normal_damage=', x.normal_damage, ' max_normal=', x.max_normal,
		' crit_damage=', x.crit_damage, ' max_crit=', x.max_crit))
	from dt.combat x join dt.characters c on c.id = x.character_id join dt.mobs m on m.id = x.mob_id
	union all
	select 2, 'rare', c.name || r.name || r.second, concat_ws(E'\t', 'rare', coalesce(c.journal, ''), coalesce(c.first_seq, 0),
		json_build_array(c.name, r.name, r.second)::text, concat('tier=', r.tier))
	from dt.rares r join dt.characters c on c.id = r.character_id where r.counted
) l order by n, kind, key collate "C";
