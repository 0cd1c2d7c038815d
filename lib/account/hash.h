/* hash: passwords hashed with argon2id, off the event loop.
 *
 * Hashing takes some 50 ms and 19 MiB each on purpose; at most HASH_THREADS run at once, up to HASH_QUEUE wait, and more are refused: a flood of logins costs
 * those who log in, nobody else.  Answers come through the pollable, in the order in which they are ready. */
#ifndef HASH_H
#define HASH_H
#include <stddef.h>
#include <stdint.h>

#include "account/account.h"
#include "loop/loop.h"

#define HASH_THREADS 2
#define HASH_QUEUE 32

struct hasher;
struct hasher *hasher_new(void);
void hasher_free(struct hasher **);              /* waits for what runs; no more callbacks */
struct pollable *hasher_pollable(struct hasher *);
size_t hasher_busy(const struct hasher *);       /* waiting or running */
uint64_t hasher_done(struct hasher *);           /* hashes computed, each counted where it was */

typedef void hasher_made_f(void *priv, const char *hash);         /* NULL: memory is short */
typedef void hasher_checked_f(void *priv, int right);
/* 0, or -1: too many wait.  The password is copied and wiped after use.  f is always called, unless the hasher is freed first. */
int hasher_make(struct hasher *, const char *password, size_t len, hasher_made_f *, void *priv);
/* hash NULL: nobody has that name; takes the same time and answers no. */
int hasher_check(struct hasher *, const char *hash, const char *password, size_t len, hasher_checked_f *, void *priv);

/* For programs without a loop: at once.  0, or -1 when memory is short. */
int hash_make(const char *password, size_t len, char hash[ACCOUNT_HASH_SIZE]);

#endif
