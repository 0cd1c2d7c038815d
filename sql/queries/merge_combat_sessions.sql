-- The last snapshot of each session of a batch, with what the batch adds to the totals: of the session and of its character.
with sums as (
	insert into dt.combat_characters as c
	select character_id, sum(kills_sum), sum(damage_given_sum), sum(damage_received_sum), max(coalesce(at, received_at))
	from stage_combat_sessions group by character_id
	on conflict (character_id) do update set kills = c.kills + excluded.kills, damage_given = c.damage_given + excluded.damage_given,
		damage_received = c.damage_received + excluded.damage_received, updated_at = greatest(c.updated_at, excluded.updated_at)
), sessions as (
	insert into dt.combat_sessions as s select * from stage_combat_sessions
	on conflict (session_id) do update set at = excluded.at, seq = excluded.seq, received_at = excluded.received_at, kills_sum = s.kills_sum + excluded.kills_sum,
		damage_given_sum = s.damage_given_sum + excluded.damage_given_sum, damage_received_sum = s.damage_received_sum + excluded.damage_received_sum,
		snapshot = excluded.snapshot, known = excluded.known
	returning 1
)
select count(*) as merged_combat_sessions from sessions
