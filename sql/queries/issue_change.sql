-- PATCH /issues/{id}: number $1; title $2, body $3, category $4, state $5 (null: as it is).
update issues i set title = coalesce($2::text, i.title), body = coalesce($3::text, i.body), category = coalesce($4::text, i.category),
	state = coalesce($5::text, i.state), updated_at = now()
where i.id = $1::bigint
returning i.id, i.title, i.body, i.category, i.state, i.author, i.created_at, i.updated_at, coalesce((
	select json_agg(json_build_object('id', c.id, 'author', c.author, 'body', c.body,
		'created_at', to_char(c.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by c.id)
	from issue_comments c where c.issue_id = i.id), '[]') as comments;
