-- DELETE /issues/{id}: number $1, with its comments.
delete from issues where id = $1::bigint returning id;
