#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "account/account.h"
#include "log/log.h"
#include "mem/mem.h"

#define KEY_BYTES 24
#define BUSY_MS 5000
#define USED_EVERY_US 60000000       /* "last used" is written at most so often: a read is no write */
#define LINK_US 86400000000
#define SCHEMA_VERSION 1

static const char schema[] =
    "create table users (name text primary key, hash text not null, role text not null, created_us integer not null, login_us integer not null default 0) strict;"
    "create table sessions (id integer primary key autoincrement, key blob not null unique, name text not null references users on delete cascade,"
    " created_us integer not null, used_us integer not null) strict;"
    "create index sessions_name on sessions (name);"
    "create table tokens (id integer primary key autoincrement, key blob not null unique, name text not null, role text not null,"
    " created_us integer not null, used_us integer not null default 0) strict;"
    "create table links (key blob primary key, made_us integer not null) strict;";

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
static const char *const statements[ST_COUNT] = {
#define S(id, sql) [ST_##id] = sql,
	STATEMENTS
#undef S
};

struct accounts {
	struct accounts_config config;
	char *path;
	sqlite3 *db;
	sqlite3_stmt *st[ST_COUNT];
	uint64_t changes;
	int refused;
};

static void
fail(struct accounts *a)
{
	die(EX_IOERR, "%s: %s", a->path, sqlite3_errmsg(a->db));
}

/* ---- a statement: begin, bind, step, end ---- */

static sqlite3_stmt *
begin(struct accounts *a, enum statement id)
{
	if (a->st[id] == NULL && sqlite3_prepare_v3(a->db, statements[id], -1, SQLITE_PREPARE_PERSISTENT, &a->st[id], NULL) != SQLITE_OK)
		fail(a);
	return a->st[id];
}

static void
bind_text(sqlite3_stmt *st, int n, const char *text)
{
	(void)sqlite3_bind_text(st, n, text, -1, SQLITE_TRANSIENT);
}

static void
bind_key(sqlite3_stmt *st, int n, const unsigned char key[KEY_BYTES])
{
	(void)sqlite3_bind_blob(st, n, key, KEY_BYTES, SQLITE_TRANSIENT);
}

/* 1: a row; 0: at the end, and the statement may be used again. */
static int
step(struct accounts *a, sqlite3_stmt *st)
{
	int got = sqlite3_step(st);

	if (got == SQLITE_ROW)
		return 1;
	a->refused = got == SQLITE_CONSTRAINT;       /* somebody else was faster */
	if (got != SQLITE_DONE && !a->refused)
		fail(a);
	(void)sqlite3_reset(st);
	(void)sqlite3_clear_bindings(st);
	return 0;
}

static void
end(sqlite3_stmt *st)
{
	(void)sqlite3_reset(st);
	(void)sqlite3_clear_bindings(st);
}

/* Runs a statement that changes; returns how many rows it did. */
static int
change(struct accounts *a, sqlite3_stmt *st)
{
	(void)step(a, st);
	a->changes++;
	return a->refused ? 0 : sqlite3_changes(a->db);
}

static int
is_true(struct accounts *a, sqlite3_stmt *st)
{
	int yes = step(a, st) && sqlite3_column_int(st, 0) != 0;

	end(st);
	return yes;
}

static void
copy_text(char *out, size_t size, sqlite3_stmt *st, int column)
{
	const char *text = (const char *)sqlite3_column_text(st, column);

	(void)snprintf(out, size, "%s", text != NULL ? text : "");
}

static enum account_role
column_role(sqlite3_stmt *st, int column)
{
	const char *text = (const char *)sqlite3_column_text(st, column);

	return account_role_parse(text != NULL ? text : "");
}

/* ---- the file ---- */

static void
migrate(struct accounts *a)
{
	sqlite3_stmt *st;
	int version;

	if (sqlite3_prepare_v2(a->db, "pragma user_version", -1, &st, NULL) != SQLITE_OK || sqlite3_step(st) != SQLITE_ROW)
		die(EX_CONFIG, "unable to read %s: %s", a->path, sqlite3_errmsg(a->db));
	version = sqlite3_column_int(st, 0);
	(void)sqlite3_finalize(st);
	if (version > SCHEMA_VERSION)
		die(EX_CONFIG, "%s belongs to a newer version of the tracker", a->path);
	if (version == 0 && (sqlite3_exec(a->db, schema, NULL, NULL, NULL) != SQLITE_OK || sqlite3_exec(a->db, "pragma user_version = 1", NULL, NULL, NULL) != SQLITE_OK))
		die(EX_CONFIG, "unable to prepare %s: %s", a->path, sqlite3_errmsg(a->db));
}

struct accounts *
accounts_open(const struct accounts_config *config)
{
	struct accounts *a = xcalloc(1, sizeof *a);
	mode_t mask = umask(077);

	a->config = *config;
	a->config.path = a->path = xstrdup(config->path);
	if (sodium_init() == -1)
		die(EX_OSERR, "no source of random numbers");
	if (sqlite3_open_v2(a->path, &a->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		die(EX_CONFIG, "unable to open %s: %s", a->path, sqlite3_errmsg(a->db));
	(void)sqlite3_busy_timeout(a->db, BUSY_MS);
	if (sqlite3_exec(a->db, "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; begin immediate", NULL, NULL, NULL) != SQLITE_OK)
		die(EX_CONFIG, "unable to use %s: %s", a->path, sqlite3_errmsg(a->db));
	migrate(a);
	if (sqlite3_exec(a->db, "commit", NULL, NULL, NULL) != SQLITE_OK)
		die(EX_CONFIG, "unable to write %s: %s", a->path, sqlite3_errmsg(a->db));
	(void)umask(mask);
	return a;
}

void
accounts_free(struct accounts **ap)
{
	struct accounts *a = *ap;

	if (a == NULL)
		return;
	*ap = NULL;
	for (int i = 0; i < ST_COUNT; i++)
		(void)sqlite3_finalize(a->st[i]);
	(void)sqlite3_close(a->db);
	free(a->path);
	free(a);
}

int
accounts_copy(struct accounts *a, const char *path)
{
	sqlite3_backup *copy;
	sqlite3 *to = NULL;
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600), rc = -1;

	if (fd == -1)
		return -1;
	(void)close(fd);
	if (sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK && (copy = sqlite3_backup_init(to, "main", a->db, "main")) != NULL) {
		(void)sqlite3_backup_step(copy, -1);
		rc = sqlite3_backup_finish(copy) == SQLITE_OK ? 0 : -1;
	}
	(void)sqlite3_close(to);
	if (rc == -1)
		errno = EIO;
	return rc;
}

uint64_t
accounts_version(struct accounts *a)
{
	sqlite3_stmt *st = begin(a, ST_DATA_VERSION);
	uint64_t version = step(a, st) ? (uint64_t)sqlite3_column_int64(st, 0) : 0;

	end(st);
	return (version << 32) + a->changes;
}

/* ---- users ---- */

static void
read_account(sqlite3_stmt *st, struct account *out)
{
	copy_text(out->name, sizeof out->name, st, 0);
	copy_text(out->hash, sizeof out->hash, st, 1);
	out->role = column_role(st, 2);
	out->created_us = sqlite3_column_int64(st, 3);
	out->login_us = sqlite3_column_int64(st, 4);
}

enum account_error
accounts_add(struct accounts *a, const char *name, const char *hash, enum account_role role, int64_t now_us)
{
	sqlite3_stmt *st;
	struct account other;

	if (!account_good_name(name))
		return ACCOUNT_BAD_NAME;
	if (accounts_get(a, name, &other) == ACCOUNT_OK)
		return ACCOUNT_EXISTS;
	st = begin(a, ST_ADD);
	bind_text(st, 1, name);
	bind_text(st, 2, hash);
	bind_text(st, 3, account_role_name(role));
	(void)sqlite3_bind_int64(st, 4, now_us);
	return change(a, st) == 1 ? ACCOUNT_OK : ACCOUNT_EXISTS;
}

enum account_error
accounts_get(struct accounts *a, const char *name, struct account *out)
{
	sqlite3_stmt *st = begin(a, ST_GET);

	bind_text(st, 1, name);
	if (!step(a, st))
		return ACCOUNT_UNKNOWN;
	read_account(st, out);
	end(st);
	return ACCOUNT_OK;
}

void
accounts_each(struct accounts *a, void (*f)(void *priv, const struct account *), void *priv)
{
	sqlite3_stmt *st = begin(a, ST_EACH);
	struct account one;

	while (step(a, st)) {
		read_account(st, &one);
		f(priv, &one);
	}
}

int
accounts_any(struct accounts *a)
{
	return is_true(a, begin(a, ST_ANY));
}

static int
is_last_admin(struct accounts *a, const char *name)
{
	sqlite3_stmt *st;
	struct account one;

	if (accounts_get(a, name, &one) != ACCOUNT_OK || one.role != ACCOUNT_ADMIN)
		return 0;
	st = begin(a, ST_OTHER_ADMIN);
	bind_text(st, 1, name);
	return !is_true(a, st);
}

static void
end_sessions(struct accounts *a, const char *name)
{
	sqlite3_stmt *st = begin(a, ST_SESSIONS_END);

	bind_text(st, 1, name);
	(void)change(a, st);
}

enum account_error
accounts_set_hash(struct accounts *a, const char *name, const char *hash)
{
	sqlite3_stmt *st = begin(a, ST_SET_HASH);

	bind_text(st, 1, name);
	bind_text(st, 2, hash);
	if (change(a, st) == 0)
		return ACCOUNT_UNKNOWN;
	end_sessions(a, name);
	return ACCOUNT_OK;
}

enum account_error
accounts_set_role(struct accounts *a, const char *name, enum account_role role)
{
	sqlite3_stmt *st;

	if (role != ACCOUNT_ADMIN && is_last_admin(a, name))
		return ACCOUNT_LAST_ADMIN;
	st = begin(a, ST_SET_ROLE);
	bind_text(st, 1, name);
	bind_text(st, 2, account_role_name(role));
	return change(a, st) == 1 ? ACCOUNT_OK : ACCOUNT_UNKNOWN;
}

enum account_error
accounts_delete(struct accounts *a, const char *name)
{
	sqlite3_stmt *st;

	if (is_last_admin(a, name))
		return ACCOUNT_LAST_ADMIN;
	st = begin(a, ST_DELETE);
	bind_text(st, 1, name);
	return change(a, st) == 1 ? ACCOUNT_OK : ACCOUNT_UNKNOWN;
}

/* ---- keys: random, kept as a hash ---- */

static void
make_key(char text[ACCOUNT_KEY_SIZE], const char *prefix)
{
	unsigned char bytes[KEY_BYTES];
	size_t n = strlen(prefix);

	randombytes_buf(bytes, sizeof bytes);
	memcpy(text, prefix, n);
	(void)sodium_bin2base64(text + n, ACCOUNT_KEY_SIZE - n, bytes, sizeof bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(bytes, sizeof bytes);
}

/* 0, or -1: no key has that form. */
static int
hash_key(const char *text, unsigned char out[KEY_BYTES])
{
	size_t len = strnlen(text, ACCOUNT_KEY_SIZE);

	if (len == 0 || len == ACCOUNT_KEY_SIZE)
		return -1;
	(void)crypto_generichash(out, KEY_BYTES, (const unsigned char *)text, len, NULL, 0);
	return 0;
}

/* ---- sessions ---- */

static int
read_session(struct accounts *a, sqlite3_stmt *st, int used, int64_t now_us, struct account_who *who)
{
	int64_t created, last;

	if (!step(a, st))
		return -1;
	who->session = sqlite3_column_int64(st, 0);
	copy_text(who->name, sizeof who->name, st, 1);
	who->role = column_role(st, 2);
	created = sqlite3_column_int64(st, 3);
	last = sqlite3_column_int64(st, 4);
	end(st);
	if (last + a->config.idle_us < now_us || created + a->config.max_us < now_us)
		return -1;
	if (used && last + USED_EVERY_US <= now_us) {
		st = begin(a, ST_SESSION_USED);
		(void)sqlite3_bind_int64(st, 1, who->session);
		(void)sqlite3_bind_int64(st, 2, now_us);
		(void)step(a, st);
	}
	if (used)
		last = now_us;
	who->expires_us = last + a->config.idle_us < created + a->config.max_us ? last + a->config.idle_us : created + a->config.max_us;
	return 0;
}

enum account_error
accounts_login(struct accounts *a, const char *name, int64_t now_us, char key[ACCOUNT_KEY_SIZE], struct account_who *who)
{
	unsigned char hashed[KEY_BYTES];
	sqlite3_stmt *st = begin(a, ST_LOGGED_IN);

	bind_text(st, 1, name);
	(void)sqlite3_bind_int64(st, 2, now_us);
	if (change(a, st) == 0)
		return ACCOUNT_UNKNOWN;
	make_key(key, "");
	(void)hash_key(key, hashed);
	st = begin(a, ST_SESSION_ADD);
	bind_key(st, 1, hashed);
	bind_text(st, 2, name);
	(void)sqlite3_bind_int64(st, 3, now_us);
	(void)change(a, st);
	return accounts_session(a, key, now_us, who) == 0 ? ACCOUNT_OK : ACCOUNT_UNKNOWN;
}

int
accounts_session(struct accounts *a, const char *key, int64_t now_us, struct account_who *who)
{
	unsigned char hashed[KEY_BYTES];
	sqlite3_stmt *st;

	if (hash_key(key, hashed) == -1)
		return -1;
	st = begin(a, ST_SESSION_GET);
	bind_key(st, 1, hashed);
	return read_session(a, st, 1, now_us, who);
}

int
accounts_still(struct accounts *a, struct account_who *who, int used, int64_t now_us)
{
	sqlite3_stmt *st = begin(a, ST_SESSION_BY_ID);

	(void)sqlite3_bind_int64(st, 1, who->session);
	return read_session(a, st, used, now_us, who);
}

void
accounts_logout(struct accounts *a, const char *key)
{
	unsigned char hashed[KEY_BYTES];
	sqlite3_stmt *st;

	if (hash_key(key, hashed) == -1)
		return;
	st = begin(a, ST_SESSION_END);
	bind_key(st, 1, hashed);
	(void)change(a, st);
}

void
accounts_sweep(struct accounts *a, int64_t now_us)
{
	sqlite3_stmt *st = begin(a, ST_SESSIONS_OVER);

	(void)sqlite3_bind_int64(st, 1, now_us - a->config.idle_us);
	(void)sqlite3_bind_int64(st, 2, now_us - a->config.max_us);
	(void)step(a, st);
}

/* ---- tokens ---- */

static void
read_token(sqlite3_stmt *st, struct account_token *out)
{
	out->id = sqlite3_column_int64(st, 0);
	copy_text(out->name, sizeof out->name, st, 1);
	out->role = column_role(st, 2);
	out->created_us = sqlite3_column_int64(st, 3);
	out->used_us = sqlite3_column_int64(st, 4);
}

enum account_error
accounts_token_add(struct accounts *a, const char *name, enum account_role role, int64_t now_us, char key[ACCOUNT_KEY_SIZE], int64_t *id)
{
	unsigned char hashed[KEY_BYTES];
	sqlite3_stmt *st;

	if (!account_good_name(name))
		return ACCOUNT_BAD_NAME;
	make_key(key, "dt_");
	(void)hash_key(key, hashed);
	st = begin(a, ST_TOKEN_ADD);
	bind_key(st, 1, hashed);
	bind_text(st, 2, name);
	bind_text(st, 3, account_role_name(role));
	(void)sqlite3_bind_int64(st, 4, now_us);
	(void)change(a, st);
	*id = sqlite3_last_insert_rowid(a->db);
	return ACCOUNT_OK;
}

int
accounts_token(struct accounts *a, const char *key, int64_t now_us, struct account_who *who)
{
	unsigned char hashed[KEY_BYTES];
	struct account_token token;
	sqlite3_stmt *st;

	if (hash_key(key, hashed) == -1)
		return -1;
	st = begin(a, ST_TOKEN_GET);
	bind_key(st, 1, hashed);
	if (!step(a, st))
		return -1;
	read_token(st, &token);
	end(st);
	if (token.used_us + USED_EVERY_US <= now_us) {
		st = begin(a, ST_TOKEN_USED);
		(void)sqlite3_bind_int64(st, 1, token.id);
		(void)sqlite3_bind_int64(st, 2, now_us);
		(void)step(a, st);
	}
	*who = (struct account_who){ .role = token.role };
	(void)snprintf(who->name, sizeof who->name, "%s", token.name);
	return 0;
}

enum account_error
accounts_token_delete(struct accounts *a, int64_t id)
{
	sqlite3_stmt *st = begin(a, ST_TOKEN_DELETE);

	(void)sqlite3_bind_int64(st, 1, id);
	return change(a, st) == 1 ? ACCOUNT_OK : ACCOUNT_UNKNOWN;
}

void
accounts_token_each(struct accounts *a, void (*f)(void *priv, const struct account_token *), void *priv)
{
	sqlite3_stmt *st = begin(a, ST_TOKEN_EACH);
	struct account_token one;

	while (step(a, st)) {
		read_token(st, &one);
		f(priv, &one);
	}
}

/* ---- the link of a first run ---- */

void
accounts_link_new(struct accounts *a, int64_t now_us, char key[ACCOUNT_KEY_SIZE])
{
	unsigned char hashed[KEY_BYTES];
	sqlite3_stmt *st;

	accounts_link_used(a);
	make_key(key, "");
	(void)hash_key(key, hashed);
	st = begin(a, ST_LINK_ADD);
	bind_key(st, 1, hashed);
	(void)sqlite3_bind_int64(st, 2, now_us);
	(void)change(a, st);
}

int
accounts_link_good(struct accounts *a, const char *key, int64_t now_us)
{
	unsigned char hashed[KEY_BYTES];
	sqlite3_stmt *st;

	if (hash_key(key, hashed) == -1)
		return -1;
	st = begin(a, ST_LINK_GET);
	bind_key(st, 1, hashed);
	(void)sqlite3_bind_int64(st, 2, now_us - LINK_US);
	return is_true(a, st) ? 0 : -1;
}

void
accounts_link_used(struct accounts *a)
{
	(void)change(a, begin(a, ST_LINKS_END));
}
