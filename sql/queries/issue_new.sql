-- POST /issues: title $1, body $2, category $3, author $4, state $5.  No row: there are $6 already.
insert into issues (title, body, category, author, state)
select $1::text, $2::text, $3::text, $4::text, $5::text where (select count(*) from issues) < $6::bigint
returning id, title, body, category, state, author, created_at, updated_at, json '[]' as comments;
