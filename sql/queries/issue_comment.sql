-- POST /issues/{id}/comments: issue $1, author $2, body $3.  No row: no such issue, or it has $4 already.
with changed as (
	update issues i set updated_at = now()
	where i.id = $1::bigint and (select count(*) from issue_comments c where c.issue_id = i.id) < $4::bigint
	returning i.id
)
insert into issue_comments (issue_id, author, body) select n.id, $2::text, $3::text from changed n
returning id, issue_id, author, body, created_at;
