delete from dt.portals where stored_at < now() - interval '1 hour'
