/* What a browser or program holds: cookies, tokens and the link of a first run.  Random, and kept as a hash. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "account/db.h"

#define USED_EVERY_US 60000000       /* "last used" is written at most so often: a read is no write */
#define LINK_US 86400000000

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

	if (!db_step(a, st))
		return -1;
	*who = (struct account_who){ .session = sqlite3_column_int64(st, 0) };
	db_copy_text(who->name, sizeof who->name, st, 1);
	who->role = db_column_role(st, 2);
	created = sqlite3_column_int64(st, 3);
	last = sqlite3_column_int64(st, 4);
	db_end(st);
	if (last + a->config.idle_us < now_us || created + a->config.max_us < now_us)
		return -1;
	if (used && last + USED_EVERY_US <= now_us) {
		st = db_begin(a, ST_SESSION_USED);
		(void)sqlite3_bind_int64(st, 1, who->session);
		(void)sqlite3_bind_int64(st, 2, now_us);
		(void)db_step(a, st);
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
	sqlite3_stmt *st = db_begin(a, ST_LOGGED_IN);

	db_bind_text(st, 1, name);
	(void)sqlite3_bind_int64(st, 2, now_us);
	if (db_change(a, st) == 0)
		return ACCOUNT_UNKNOWN;
	make_key(key, "");
	(void)hash_key(key, hashed);
	st = db_begin(a, ST_SESSION_ADD);
	db_bind_key(st, 1, hashed);
	db_bind_text(st, 2, name);
	(void)sqlite3_bind_int64(st, 3, now_us);
	(void)db_change(a, st);
	return accounts_session(a, key, now_us, who) == 0 ? ACCOUNT_OK : ACCOUNT_UNKNOWN;
}

int
accounts_session(struct accounts *a, const char *key, int64_t now_us, struct account_who *who)
{
	unsigned char hashed[KEY_BYTES];
	sqlite3_stmt *st;

	if (hash_key(key, hashed) == -1)
		return -1;
	st = db_begin(a, ST_SESSION_GET);
	db_bind_key(st, 1, hashed);
	return read_session(a, st, 1, now_us, who);
}

void
accounts_logout(struct accounts *a, const char *key)
{
	unsigned char hashed[KEY_BYTES];
	sqlite3_stmt *st;

	if (hash_key(key, hashed) == -1)
		return;
	st = db_begin(a, ST_SESSION_END);
	db_bind_key(st, 1, hashed);
	(void)db_change(a, st);
}

void
accounts_sweep(struct accounts *a, int64_t now_us)
{
	sqlite3_stmt *st = db_begin(a, ST_SESSIONS_OVER);

	(void)sqlite3_bind_int64(st, 1, now_us - a->config.idle_us);
	(void)sqlite3_bind_int64(st, 2, now_us - a->config.max_us);
	(void)db_step(a, st);
}

/* ---- tokens ---- */

static void
read_token(sqlite3_stmt *st, struct account_token *out)
{
	out->id = sqlite3_column_int64(st, 0);
	db_copy_text(out->name, sizeof out->name, st, 1);
	out->role = db_column_role(st, 2);
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
	st = db_begin(a, ST_TOKEN_ADD);
	db_bind_key(st, 1, hashed);
	db_bind_text(st, 2, name);
	db_bind_text(st, 3, account_role_name(role));
	(void)sqlite3_bind_int64(st, 4, now_us);
	(void)db_change(a, st);
	*id = sqlite3_last_insert_rowid(a->db);
	return ACCOUNT_OK;
}

static int
use_token(struct accounts *a, sqlite3_stmt *st, int used, int64_t now_us, struct account_who *who)
{
	struct account_token token;

	if (!db_step(a, st))
		return -1;
	read_token(st, &token);
	db_end(st);
	if (used && token.used_us + USED_EVERY_US <= now_us) {
		st = db_begin(a, ST_TOKEN_USED);
		(void)sqlite3_bind_int64(st, 1, token.id);
		(void)sqlite3_bind_int64(st, 2, now_us);
		(void)db_step(a, st);
	}
	*who = (struct account_who){ .role = token.role, .token = token.id };
	(void)snprintf(who->name, sizeof who->name, "%s", token.name);
	return 0;
}

int
accounts_token(struct accounts *a, const char *key, int64_t now_us, struct account_who *who)
{
	unsigned char hashed[KEY_BYTES];
	sqlite3_stmt *st;

	if (hash_key(key, hashed) == -1)
		return -1;
	st = db_begin(a, ST_TOKEN_GET);
	db_bind_key(st, 1, hashed);
	return use_token(a, st, 1, now_us, who);
}

int
accounts_still(struct accounts *a, struct account_who *who, int used, int64_t now_us)
{
	sqlite3_stmt *st = db_begin(a, who->token != 0 ? ST_TOKEN_BY_ID : ST_SESSION_BY_ID);

	(void)sqlite3_bind_int64(st, 1, who->token != 0 ? who->token : who->session);
	return who->token != 0 ? use_token(a, st, used, now_us, who) : read_session(a, st, used, now_us, who);
}

enum account_error
accounts_token_delete(struct accounts *a, int64_t id)
{
	sqlite3_stmt *st = db_begin(a, ST_TOKEN_DELETE);

	(void)sqlite3_bind_int64(st, 1, id);
	return db_change(a, st) == 1 ? ACCOUNT_OK : ACCOUNT_UNKNOWN;
}

void
accounts_token_each(struct accounts *a, void (*f)(void *priv, const struct account_token *), void *priv)
{
	sqlite3_stmt *st = db_begin(a, ST_TOKEN_EACH);
	struct account_token one;

	while (db_step(a, st)) {
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
	st = db_begin(a, ST_LINK_ADD);
	db_bind_key(st, 1, hashed);
	(void)sqlite3_bind_int64(st, 2, now_us);
	(void)db_change(a, st);
}

int
accounts_link_good(struct accounts *a, const char *key, int64_t now_us)
{
	unsigned char hashed[KEY_BYTES];
	sqlite3_stmt *st;

	if (hash_key(key, hashed) == -1)
		return -1;
	st = db_begin(a, ST_LINK_GET);
	db_bind_key(st, 1, hashed);
	(void)sqlite3_bind_int64(st, 2, now_us - LINK_US);
	return db_is_true(a, st) ? 0 : -1;
}

void
accounts_link_used(struct accounts *a)
{
	(void)db_change(a, db_begin(a, ST_LINKS_END));
}
