/* account: who may use the tracker: users with a role, their sessions, tokens for programs, and the one-time link of a first run.
 *
 * Kept in one SQLite file (accounts.db in $DT_DATA, mode 0600) that dt-user and dt-serve share: what one changes the other sees at its next call, and sessions
 * outlive a killed server.  Calls are short and synchronous; the one slow thing, hashing a password, is in account/hash.h.
 * Whatever a browser or program holds (cookie, token, link) is random and kept only as a hash of itself.
 * A file that cannot be read or written ends the program: with 78 when it is opened, with 74 later; a tracker that forgets who may do what must not run. */
#ifndef ACCOUNT_H
#define ACCOUNT_H
#include <stddef.h>
#include <stdint.h>

enum account_role { ACCOUNT_NOBODY, ACCOUNT_VIEWER, ACCOUNT_OPERATOR, ACCOUNT_ADMIN };       /* each may what those before may */
const char *account_role_name(enum account_role);
enum account_role account_role_parse(const char *name);      /* ACCOUNT_NOBODY: no such role */

#define ACCOUNT_NAME_SIZE 33                 /* 1-32 of letters, digits, '.', '_', '-', '@'; case counts */
#define ACCOUNT_PASSWORD_MIN 8               /* bytes */
#define ACCOUNT_PASSWORD_MAX 1024
#define ACCOUNT_HASH_SIZE 128                /* text of a password's hash, as libsodium writes it */
#define ACCOUNT_KEY_SIZE 48                  /* text of a cookie, token or link */

struct account {
	char name[ACCOUNT_NAME_SIZE];
	char hash[ACCOUNT_HASH_SIZE];
	enum account_role role;
	int64_t created_us, login_us;        /* login_us 0: never */
};
struct account_token {
	int64_t id;
	char name[ACCOUNT_NAME_SIZE];
	enum account_role role;
	int64_t created_us, used_us;         /* used_us 0: never; exact to a minute */
};
/* Who asks: a user's session, or a token; the number of the other is 0. */
struct account_who {
	char name[ACCOUNT_NAME_SIZE];
	enum account_role role;
	int64_t session, token;              /* their numbers, never used again */
	int64_t expires_us;                  /* 0: does not */
};

enum account_error {
	ACCOUNT_OK,
	ACCOUNT_EXISTS, ACCOUNT_UNKNOWN,
	ACCOUNT_BAD_NAME,
	ACCOUNT_LAST_ADMIN,                  /* without it nobody could manage users any more */
	ACCOUNT_ERRORS
};
const char *account_error_text(enum account_error);          /* a sentence without a stop */
int account_good_name(const char *name);
const char *account_bad_password(const char *password, size_t len);  /* NULL: good; else what is wrong with it */

struct accounts;
struct accounts_config {
	const char *path;
	int64_t idle_us, max_us;             /* a session ends after so long without a request, and at the latest after */
};
struct accounts *accounts_open(const struct accounts_config *);      /* makes the file when it is not there; copies the config */
void accounts_free(struct accounts **);

/* A copy of all of it as it is at one moment, into a new file of mode 0600.  0, or -1 with errno: there is one already, or it cannot be written. */
int accounts_copy(struct accounts *, const char *path);

/* ---- users ---- */

enum account_error accounts_add(struct accounts *, const char *name, const char *hash, enum account_role, int64_t now_us);
enum account_error accounts_set_hash(struct accounts *, const char *name, const char *hash);         /* ends the user's sessions */
enum account_error accounts_set_role(struct accounts *, const char *name, enum account_role);
enum account_error accounts_delete(struct accounts *, const char *name);                             /* and the sessions */
enum account_error accounts_get(struct accounts *, const char *name, struct account *out);
void accounts_each(struct accounts *, void (*f)(void *priv, const struct account *), void *priv);    /* by name */
int accounts_any(struct accounts *);                                 /* is there a user at all? */

/* ---- sessions: the cookie's text in key ---- */

enum account_error accounts_login(struct accounts *, const char *name, int64_t now_us, char key[ACCOUNT_KEY_SIZE], struct account_who *);
/* 0 and who it is, the idle time counting from now again; -1: no such session, or it is over. */
int accounts_session(struct accounts *, const char *key, int64_t now_us, struct account_who *);
void accounts_logout(struct accounts *, const char *key);
/* For connections that stay open: does the session or token of a who still stand, and with which role?  Does not count as a use unless used. */
int accounts_still(struct accounts *, struct account_who *, int used, int64_t now_us);
void accounts_sweep(struct accounts *, int64_t now_us);              /* forgets what is over */
/* Grows whenever this or another process changed anything: then what was remembered of answers is to be asked again. */
uint64_t accounts_version(struct accounts *);

/* ---- tokens, sent as "Authorization: Bearer …" ---- */

enum account_error accounts_token_add(struct accounts *, const char *name, enum account_role, int64_t now_us, char key[ACCOUNT_KEY_SIZE], int64_t *id);
int accounts_token(struct accounts *, const char *key, int64_t now_us, struct account_who *);
enum account_error accounts_token_delete(struct accounts *, int64_t id);
void accounts_token_each(struct accounts *, void (*f)(void *priv, const struct account_token *), void *priv);

/* ---- the link of a first run: who has it may make the first admin ---- */

void accounts_link_new(struct accounts *, int64_t now_us, char key[ACCOUNT_KEY_SIZE]);       /* good for a day; earlier ones are void */
int accounts_link_good(struct accounts *, const char *key, int64_t now_us);                  /* 0, or -1 */
void accounts_link_used(struct accounts *);

#endif
