-- The newest timer of each character's quest.
with new as (
	insert into dt.quests as q
	select distinct on (character_id, quest_name) character_id, quest_name, at, received_at, countdown, seconds, flag, solves, max_solves, completed_on, repeat_s
	from stage_quests order by character_id, quest_name, at desc, seq desc
	on conflict (character_id, quest_name) do update set at = excluded.at, received_at = excluded.received_at, countdown = excluded.countdown,
		seconds = excluded.seconds, flag = excluded.flag, solves = excluded.solves, max_solves = excluded.max_solves,
		completed_on = excluded.completed_on, repeat_s = excluded.repeat_s
	where excluded.at >= q.at
	returning 1
)
select count(*) as merged_quests from new
