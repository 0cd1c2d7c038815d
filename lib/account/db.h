/* db: the file of accounts and its statements, for accounts.c and keys.c. */
#ifndef ACCOUNT_DB_H
#define ACCOUNT_DB_H
#include <sqlite3.h>

#include "account/account.h"

#define KEY_BYTES 24

/* Each is prepared when it is first used. */
#define STATEMENTS \
	S(ADD, "insert into users (name, hash, role, created_us) values (?1, ?2, ?3, ?4)") \
	S(SET_HASH, "update users set hash = ?2 where name = ?1") \
	S(SET_ROLE, "update users set role = ?2 where name = ?1") \
	S(DELETE, "delete from users where name = ?1") \
	S(GET, "select name, hash, role, created_us, login_us from users where name = ?1") \
	S(EACH, "select name, hash, role, created_us, login_us from users order by name") \
	S(ANY, "select exists (select 1 from users)") \
	S(OTHER_ADMIN, "select exists (select 1 from users where role = 'admin' and name <> ?1)") \
	S(LOGGED_IN, "update users set login_us = ?2 where name = ?1") \
	S(SESSION_ADD, "insert into sessions (key, name, created_us, used_us) values (?1, ?2, ?3, ?3)") \
	S(SESSION_GET, "select s.id, s.name, u.role, s.created_us, s.used_us from sessions s join users u on u.name = s.name where s.key = ?1") \
	S(SESSION_BY_ID, "select s.id, s.name, u.role, s.created_us, s.used_us from sessions s join users u on u.name = s.name where s.id = ?1") \
	S(SESSION_USED, "update sessions set used_us = ?2 where id = ?1") \
	S(SESSION_END, "delete from sessions where key = ?1") \
	S(SESSIONS_END, "delete from sessions where name = ?1") \
	S(SESSIONS_OVER, "delete from sessions where used_us < ?1 or created_us < ?2") \
	S(TOKEN_ADD, "insert into tokens (key, name, role, created_us) values (?1, ?2, ?3, ?4)") \
	S(TOKEN_GET, "select id, name, role, created_us, used_us from tokens where key = ?1") \
	S(TOKEN_BY_ID, "select id, name, role, created_us, used_us from tokens where id = ?1") \
	S(TOKEN_USED, "update tokens set used_us = ?2 where id = ?1") \
	S(TOKEN_DELETE, "delete from tokens where id = ?1") \
	S(TOKEN_EACH, "select id, name, role, created_us, used_us from tokens order by id") \
	S(LINK_ADD, "insert into links (key, made_us) values (?1, ?2)") \
	S(LINK_GET, "select 1 from links where key = ?1 and made_us > ?2") \
	S(LINKS_END, "delete from links") \
	S(DATA_VERSION, "pragma data_version")
enum statement {
#define S(id, sql) ST_##id,
	STATEMENTS
#undef S
	ST_COUNT
};

struct accounts {
	struct accounts_config config;
	char *path;
	sqlite3 *db;
	sqlite3_stmt *st[ST_COUNT];
	uint64_t changes;
	int refused;
};

/* begin, bind, then step until 0, or end; change runs one that changes and returns how many rows it did. */
sqlite3_stmt *db_begin(struct accounts *, enum statement);
void db_bind_text(sqlite3_stmt *, int n, const char *);
void db_bind_key(sqlite3_stmt *, int n, const unsigned char key[KEY_BYTES]);
int db_step(struct accounts *, sqlite3_stmt *);      /* 1: a row; 0: at the end, and the statement may be used again */
void db_end(sqlite3_stmt *);
int db_change(struct accounts *, sqlite3_stmt *);
int db_is_true(struct accounts *, sqlite3_stmt *);   /* the first column of its only row */
void db_copy_text(char *out, size_t size, sqlite3_stmt *, int column);
enum account_role db_column_role(sqlite3_stmt *, int column);

#endif
