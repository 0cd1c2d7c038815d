#include "account/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "log/log.h"
#include "mem/mem.h"

#define BUSY_MS 5000
#define SCHEMA_VERSION 1

static const char schema[] =
    "create table users (name text primary key, hash text not null, role text not null, created_us integer not null, login_us integer not null default 0) strict;"
    "create table sessions (id integer primary key autoincrement, key blob not null unique, name text not null references users on delete cascade,"
    " created_us integer not null, used_us integer not null) strict;"
    "create index sessions_name on sessions (name);"
    "create table tokens (id integer primary key autoincrement, key blob not null unique, name text not null, role text not null,"
    " created_us integer not null, used_us integer not null default 0) strict;"
    "create table links (key blob primary key, made_us integer not null) strict;";

static const char *const statements[ST_COUNT] = {
#define S(id, sql) [ST_##id] = sql,
	STATEMENTS
#undef S
};

static void
fail(struct accounts *a)
{
	die(EX_IOERR, "%s: %s", a->path, sqlite3_errmsg(a->db));
}

/* ---- a statement: begin, bind, step, end ---- */

sqlite3_stmt *
db_begin(struct accounts *a, enum statement id)
{
	if (a->st[id] == NULL && sqlite3_prepare_v3(a->db, statements[id], -1, SQLITE_PREPARE_PERSISTENT, &a->st[id], NULL) != SQLITE_OK)
		fail(a);
	return a->st[id];
}

void
db_bind_text(sqlite3_stmt *st, int n, const char *text)
{
	(void)sqlite3_bind_text(st, n, text, -1, SQLITE_TRANSIENT);
}

void
db_bind_key(sqlite3_stmt *st, int n, const unsigned char key[KEY_BYTES])
{
	(void)sqlite3_bind_blob(st, n, key, KEY_BYTES, SQLITE_TRANSIENT);
}

int
db_step(struct accounts *a, sqlite3_stmt *st)
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

void
db_end(sqlite3_stmt *st)
{
	(void)sqlite3_reset(st);
	(void)sqlite3_clear_bindings(st);
}

int
db_change(struct accounts *a, sqlite3_stmt *st)
{
	(void)db_step(a, st);
	a->changes++;
	return a->refused ? 0 : sqlite3_changes(a->db);
}

int
db_is_true(struct accounts *a, sqlite3_stmt *st)
{
	int yes = db_step(a, st) && sqlite3_column_int(st, 0) != 0;

	db_end(st);
	return yes;
}

void
db_copy_text(char *out, size_t size, sqlite3_stmt *st, int column)
{
	const char *text = (const char *)sqlite3_column_text(st, column);

	(void)snprintf(out, size, "%s", text != NULL ? text : "");
}

enum account_role
db_column_role(sqlite3_stmt *st, int column)
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
		die(EX_CONFIG, "unable to open %s: %s", a->path, sqlite3_system_errno(a->db) != 0 ? strerror(sqlite3_system_errno(a->db)) : sqlite3_errmsg(a->db));
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
	sqlite3_stmt *st = db_begin(a, ST_DATA_VERSION);
	uint64_t version = db_step(a, st) ? (uint64_t)sqlite3_column_int64(st, 0) : 0;

	db_end(st);
	return (version << 32) + a->changes;
}
