/* spool_int: the spool in memory (spool.c) and its file (spool_file.c). */
#ifndef POST_SPOOL_INT_H
#define POST_SPOOL_INT_H
#include "post/internal.h"

#define SPOOL_KEYS_MAX 65536
#define SPOOL_KEY_US (INT64_C(86400) * 1000000)
#define SPOOL_INVALID_MAX 128

struct known { char text[25]; int64_t at_us; };

struct spool {
	char *path, *new_path, *dir;
	int fd, lock_fd, failing;
	int64_t size, anew, bytes;       /* of the file; of it when it was last written anew; of all that waits */
	uint64_t last_id;
	struct spool_message *first, **end;
	size_t count, torn;
	struct known *keys;              /* a ring */
	size_t n_keys, next_key;
	int64_t invalid[SPOOL_INVALID_MAX];    /* a ring */
	size_t next_invalid;
};

/* spool.c */
uint64_t spool_hash(uint64_t, const char *, size_t);
void spool_know(struct spool *, const char text[25], int64_t at_us);
void spool_found(struct spool *, uint64_t id, int64_t raised_us, const char *target, size_t lens[3], const char *text);   /* key, body, note */
void spool_take_out(struct spool *, uint64_t id);

/* spool_file.c */
void spool_load(struct spool *);                 /* dies when it cannot be read */
int spool_rewrite(struct spool *);               /* 0, or -1 and all is as it was */
void spool_append(struct spool *, const struct buf *, int synced);
void spool_put_message(struct buf *, const struct spool_message *);
void spool_put_line(struct buf *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
