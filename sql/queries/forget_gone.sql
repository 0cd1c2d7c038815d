-- Tombstones are kept for an hour; up to which version they are gone is kept with the other facts about the data.
with forgotten as (
	delete from dt.gone where at < now() - interval '1 hour' returning version
)
update dt.meta set value = greatest(value::bigint, (select max(version) from forgotten))::text
where key = 'gone_through' and exists (select from forgotten)
