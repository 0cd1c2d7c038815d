-- Rows that are past retention when they come (of an old capture, of a clock gone wrong) get no days of their own: they stay in the default partition until
-- dt.maintain takes them.  Otherwise a few odd times would make hundreds of tables.

create or replace function dt.ensure_days(p_name text, p_days date[]) returns void language plpgsql set timezone = 'UTC' as $$
declare
	v_day date;
	v_part text;
	v_stray bigint;
	v_keep interval := (select s.keep from dt.series s where s.name = p_name);
begin
	if (select s.engine from dt.series s where s.name = p_name) <> 'plain' then
		return;
	end if;
	foreach v_day in array p_days loop
		v_part := p_name || to_char(v_day, '"_"YYYYMMDD');
		continue when (v_day + 1)::timestamptz <= now() - v_keep;
		continue when to_regclass(format('dt.%I', v_part)) is not null;
		execute format('create temp table dt_stray as select * from dt.%I where "timestamp" >= %L and "timestamp" < %L',
		    p_name || '_default', v_day::timestamptz, (v_day + 1)::timestamptz);
		get diagnostics v_stray = row_count;
		if v_stray > 0 then
			execute format('delete from dt.%I where "timestamp" >= %L and "timestamp" < %L',
			    p_name || '_default', v_day::timestamptz, (v_day + 1)::timestamptz);
		end if;
		execute format('create table dt.%I partition of dt.%I for values from (%L) to (%L)',
		    v_part, p_name, v_day::timestamptz, (v_day + 1)::timestamptz);
		if v_stray > 0 then
			execute format('insert into dt.%I select * from dt_stray', p_name);
		end if;
		drop table dt_stray;
	end loop;
end $$;
