-- GET /quests: the newest quest timers of character $1 (null: of all).
select c.name as character_name, q.quest_name, q.countdown, q.seconds, to_char(q.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "timestamp",
	to_char((q.at + make_interval(secs => q.seconds)) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as ready_at,
	q.flag, q.solves, q.max_solves, q.completed_on, q.repeat_s
from dt.quests q join dt.characters c on c.id = q.character_id
where $1::text is null or c.name = $1::text
order by c.name, q.quest_name;
