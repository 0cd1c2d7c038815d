/* Users. */
#include "account/db.h"

static void
read_account(sqlite3_stmt *st, struct account *out)
{
	db_copy_text(out->name, sizeof out->name, st, 0);
	db_copy_text(out->hash, sizeof out->hash, st, 1);
	out->role = db_column_role(st, 2);
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
	st = db_begin(a, ST_ADD);
	db_bind_text(st, 1, name);
	db_bind_text(st, 2, hash);
	db_bind_text(st, 3, account_role_name(role));
	(void)sqlite3_bind_int64(st, 4, now_us);
	return db_change(a, st) == 1 ? ACCOUNT_OK : ACCOUNT_EXISTS;
}

enum account_error
accounts_get(struct accounts *a, const char *name, struct account *out)
{
	sqlite3_stmt *st = db_begin(a, ST_GET);

	db_bind_text(st, 1, name);
	if (!db_step(a, st))
		return ACCOUNT_UNKNOWN;
	read_account(st, out);
	db_end(st);
	return ACCOUNT_OK;
}

void
accounts_each(struct accounts *a, void (*f)(void *priv, const struct account *), void *priv)
{
	sqlite3_stmt *st = db_begin(a, ST_EACH);
	struct account one;

	while (db_step(a, st)) {
		read_account(st, &one);
		f(priv, &one);
	}
}

int
accounts_any(struct accounts *a)
{
	return db_is_true(a, db_begin(a, ST_ANY));
}

static int
is_last_admin(struct accounts *a, const char *name)
{
	sqlite3_stmt *st;
	struct account one;

	if (accounts_get(a, name, &one) != ACCOUNT_OK || one.role != ACCOUNT_ADMIN)
		return 0;
	st = db_begin(a, ST_OTHER_ADMIN);
	db_bind_text(st, 1, name);
	return !db_is_true(a, st);
}

static void
end_sessions(struct accounts *a, const char *name)
{
	sqlite3_stmt *st = db_begin(a, ST_SESSIONS_END);

	db_bind_text(st, 1, name);
	(void)db_change(a, st);
}

enum account_error
accounts_set_hash(struct accounts *a, const char *name, const char *hash)
{
	sqlite3_stmt *st = db_begin(a, ST_SET_HASH);

	db_bind_text(st, 1, name);
	db_bind_text(st, 2, hash);
	if (db_change(a, st) == 0)
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
	st = db_begin(a, ST_SET_ROLE);
	db_bind_text(st, 1, name);
	db_bind_text(st, 2, account_role_name(role));
	return db_change(a, st) == 1 ? ACCOUNT_OK : ACCOUNT_UNKNOWN;
}

enum account_error
accounts_delete(struct accounts *a, const char *name)
{
	sqlite3_stmt *st;

	if (is_last_admin(a, name))
		return ACCOUNT_LAST_ADMIN;
	st = db_begin(a, ST_DELETE);
	db_bind_text(st, 1, name);
	return db_change(a, st) == 1 ? ACCOUNT_OK : ACCOUNT_UNKNOWN;
}
