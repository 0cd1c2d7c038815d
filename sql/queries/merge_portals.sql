-- One portal per tenth of a degree, as last seen.
insert into dt.portals as p (ns10, ew10, portal_name, ns, ew, z, discovered_at, character_id)
select distinct on (ns10, ew10) * from stage_portals order by ns10, ew10, discovered_at desc
on conflict (ns10, ew10) do update set portal_name = excluded.portal_name, ns = excluded.ns, ew = excluded.ew, z = excluded.z,
	discovered_at = excluded.discovered_at, character_id = excluded.character_id, stored_at = now()
where excluded.discovered_at >= p.discovered_at
