-- The newest word about the game server.
with new as (
	insert into dt.server_status as s (at, received_at, server, online, latency_ms, player_count, uptime_s, last_checked, event)
	select at, received_at, server, online, latency_ms, player_count, uptime_s, last_checked, event
	from stage_server_status order by at desc, seq desc limit 1
	on conflict (one) do update set at = excluded.at, received_at = excluded.received_at, server = excluded.server, online = excluded.online,
		latency_ms = excluded.latency_ms, player_count = excluded.player_count, uptime_s = excluded.uptime_s, last_checked = excluded.last_checked,
		event = excluded.event
	where excluded.at >= s.at
	returning 1
)
select count(*) as merged_server_status from new
