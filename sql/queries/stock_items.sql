-- What dt-store keeps of every item while it runs.  ObjectClass 10 and 38 are packs.
select item_id, character_id, hash, container_sent, container_id, stack_count, equipped_slot, object_class in (10, 38) as pack,
	(extract(epoch from updated_at) * 1000000)::bigint as updated_us, (extract(epoch from noted_at) * 1000000)::bigint as noted_us,
	noted_stack, noted_container, name
from dt.items
