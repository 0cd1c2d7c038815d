-- GET /issues: those in state $1, of category $2, with number $3 (each null: all), newest first, with their comments; at most $4, from $5 on.
select i.id, i.title, i.body, i.category, i.state, i.author, i.created_at, i.updated_at, coalesce((
	select json_agg(json_build_object('id', c.id, 'author', c.author, 'body', c.body,
		'created_at', to_char(c.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by c.id)
	from issue_comments c where c.issue_id = i.id), '[]') as comments
from issues i
where ($1::text is null or i.state = $1::text) and ($2::text is null or i.category = $2::text) and ($3::bigint is null or i.id = $3::bigint)
order by i.id desc limit $4::bigint offset $5::bigint;
