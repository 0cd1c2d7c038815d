-- GET /server-health: the newest word about the game server, as it was sent.
select x.event::text as event, to_char(x.received_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as received_at from dt.server_status x;
