-- What every sink of dt-store has in its database: the position, and what could not be stored.

create table dt.positions (
	sink     text not null,
	journal  text not null,
	seq      bigint not null,
	at       timestamptz not null default now(),
	primary key (sink, journal)
);
comment on table dt.positions is 'up to which _seq of which journal a sink has stored everything; changes with the rows, in one transaction';

-- Moves the position from where the caller believes it to be.  Anything else means that another store, or a session of ours that was thought
-- lost, has written meanwhile: the transaction fails, the caller reads the position again.
create function dt.advance(p_sink text, p_journal text, p_from bigint, p_to bigint) returns void language plpgsql as $$
begin
	insert into dt.positions as p (sink, journal, seq) values (p_sink, p_journal, p_to)
	on conflict (sink, journal) do update set seq = excluded.seq, at = now() where p.seq = p_from;
	if not found then
		raise exception 'the position of % in % is no longer %', p_sink, p_journal, p_from using errcode = 'DT001';
	end if;
end $$;

create table dt.dead_letters (
	id           bigint generated always as identity primary key,
	journal      text not null,
	seq          bigint not null,
	received_at  timestamptz not null,
	reason       text not null,
	event        text not null
);

create table dt.meta (
	key    text primary key,
	value  text not null
);
comment on table dt.meta is 'of what version the facts of the items and the names are';

create view dead_letters as
	select seq, received_at, reason, event from dt.dead_letters;
