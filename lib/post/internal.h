/* What the files of lib/post share; for its unit tests too. */
#ifndef POST_INTERNAL_H
#define POST_INTERNAL_H
#include "post/post.h"

/* ---- body.c ---- */
#define POST_NO_PINGS "{\"allowed_mentions\":{\"parse\":[]}"      /* every body for Discord begins with it */
#define POST_NO_ROOM ((size_t)-1)
/* Appends at most max code points of text as valid UTF-8, without blanks in front; how many, 0 when nothing is left, POST_NO_ROOM when out is full. */
size_t post_cut(struct buf *out, const char *text, size_t len, size_t max);
size_t post_count(const char *text, size_t len);                 /* code points of valid UTF-8 */

/* ---- limit.c: what an answer's headers say ---- */
struct post_limits {
	int64_t retry_after_ms;  /* -1: not said */
	int64_t reset_after_ms;  /* -1: not said */
	int64_t remaining;       /* -1: not said */
	int64_t date_s;          /* the answer's own clock; -1: not said */
	int64_t reset_at_ms;     /* X-RateLimit-Reset, wall clock; -1: not said */
	int global, shared;
	char bucket[64];
	char retry_date[64];     /* Retry-After as a date, until all headers are known */
};

void post_limits_init(struct post_limits *);
void post_limits_header(struct post_limits *, const char *line, size_t len);     /* one header line, as it came */
void post_limits_body(struct post_limits *, const char *body, size_t len);       /* of a 429: retry_after, global */
/* How long to wait after a 429 (or a 503 that says so), without jitter; -1: nothing was said. */
int64_t post_limits_wait(const struct post_limits *, int64_t wall_ms);
/* How long the bucket is empty after an answer that was none; 0: it is not. */
int64_t post_limits_empty(const struct post_limits *, int64_t wall_ms);

/* ---- spool.c: messages that wait, keys of the last day, on disk ---- */
struct spool;

struct spool_message {
	uint64_t id;             /* rises */
	char *target, *key, *note, *body;
	size_t note_len, body_len;
	int64_t raised_us;       /* wall clock */
	int64_t raised_ms;       /* monotonic: what its age is counted by */
	unsigned tries;
	struct spool_message *next;      /* of all that wait, in the order they came */
};

struct spool *spool_open(const char *dir);       /* dies, see post_new */
void spool_close(struct spool **);
struct spool_message *spool_first(const struct spool *);
size_t spool_count(const struct spool *);
int64_t spool_bytes(const struct spool *);       /* of what waits */
size_t spool_torn(const struct spool *);         /* bytes that could not be read at the start */
int spool_knows(const struct spool *, const char *target, const char *key);
/* Written and synced; when the disk refuses it (logged), in memory and on disk as soon as it takes something again. */
struct spool_message *spool_add(struct spool *, const char *target, const char *key, struct post_str body, struct post_str note);
void spool_done(struct spool *, struct spool_message *);         /* marked and taken out, now the caller's; its key stays known for a day */
void spool_message_free(struct spool_message **);
/* Requests that were answered 401, 403 or 429, so that a restart does not forget them.  Their number since then, and the oldest of them. */
void spool_invalid(struct spool *, int64_t wall_us);
unsigned spool_invalid_since(const struct spool *, int64_t since_us, int64_t *oldest_us);
void post_key_text(const char *target, const char *key, char out[25]);   /* 24 hex digits of both: the nonce */

/* ---- url.c ---- */
struct post_url { char scheme[8], host[256], path[1024]; int loopback; };
int post_url_parse(const char *url, struct post_url *, const char **why);        /* http or https, a host; 0 or -1 */
/* Words of the other side for a log line: one line, at most 300 bytes, secrets within it replaced. */
void post_words(const char *text, size_t len, const char *const *secrets, char out[304]);

/* ---- http.c and command.c: one attempt ---- */
enum post_outcome { POST_DONE, POST_AGAIN, POST_LIMITED, POST_SHUT, POST_REFUSED };

struct post_result {
	enum post_outcome outcome;
	int status;              /* HTTP status or exit status; 0 none */
	const char *cause;       /* for the counters: "timeout", "connect", "5xx", … static */
	char words[304];
	struct post_limits limits;
};

typedef void post_result_f(void *priv, const struct post_result *);

struct post_http;
struct post_http_config { struct loop *loop; const char *proxy, *ca_file; int64_t connect_ms, total_ms; };
struct post_http *post_http_new(const struct post_http_config *);
void post_http_free(struct post_http **);
/* Headers and secrets (what no words may show) are NULL-terminated; all is copied.  The result comes from the loop, never from within this call. */
void post_http_post(struct post_http *, const char *url, const char *const *headers, const char *body, size_t len,
    const char *const *secrets, int discord, post_result_f *, void *priv);

struct post_command;
struct post_command *post_command_start(struct loop *, const char *const *argv, const char *key, const char *body, size_t len, int64_t limit_ms,
    post_result_f *, void *priv);
void post_command_kill(struct post_command **);          /* no result will come */

#endif
