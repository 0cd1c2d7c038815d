-- GET /quests: the newest quest timers of character $1 (null: of all), by name; at most $2, from $3 on.
select c.name as character_name, q.quest_name, q.countdown, q.seconds, q.at as "timestamp", q.at + make_interval(secs => q.seconds) as ready_at,
	q.flag, q.solves, q.max_solves, q.completed_on, q.repeat_s
from dt.quests q join dt.characters c on c.id = q.character_id
where $1::text is null or c.name = $1::text
order by c.name, q.quest_name limit $2::bigint offset $3::bigint;
