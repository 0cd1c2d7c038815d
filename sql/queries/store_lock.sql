-- One store per sink, and the version of the server.  Who holds the lock when we do not get it: 0 when nobody seems to.
select pg_try_advisory_lock(17492, $1::int) as got, current_setting('server_version_num')::int as version, coalesce((
	select pid from pg_locks where locktype = 'advisory' and classid = 17492 and objid = $1::int and objsubid = 2 and granted
	and database = (select oid from pg_database where datname = current_database()) limit 1), 0) as holder
