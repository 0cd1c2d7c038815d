delete from dt.dead_letters where received_at < now() - interval '30 days'
	or id <= (select id from dt.dead_letters order by id desc offset 100000 limit 1)
