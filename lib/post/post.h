/* post: messages to Discord, to any webhook or to a command, over an on-disk spool.
 *
 * post_send has written the message to the spool, and the spool to the disk, before it returns; kill -9 loses nothing.  A message is sent again only when
 * nobody can know whether it arrived: Discord's channels recognise it by its nonce then, other webhooks get an Idempotency-Key header.  Of the targets that
 * recognise nothing only one is asked at a time (those that just failed apart), so a crash repeats one message at most.
 * Messages to one target go one after another in the order they came.  What waits for an hour is dead (expired).
 * 429: waits as the answer says, that bucket or all of Discord.  5xx, timeouts, no connection: again after 1 s, 2 s … 5 min.  401, 403, 404: the target is
 * shut, nothing more is sent to it until it is changed or the program starts again.  400: the message is dead.
 * All memory of secrets is in the targets: the spool, the log and the callbacks know targets by their names only. */
#ifndef POST_H
#define POST_H
#include <stddef.h>
#include <stdint.h>

#include "buf/buf.h"
#include "loop/loop.h"

struct post;

enum post_kind {
	POST_CHANNEL,            /* where: a Discord channel's id; posted by the bot */
	POST_DISCORD_WEBHOOK,    /* where: https://discord.com/api/webhooks/ID/TOKEN */
	POST_WEBHOOK,            /* where: any http or https URL; the body is sent as application/json */
	POST_COMMAND             /* argv: a program by its path or found in PATH, no shell; the body is its standard input, 0 means sent */
};

struct post_target {
	enum post_kind kind;
	const char *where;
	const char *const *argv; /* NULL-terminated */
};

/* A message, for the callbacks: all borrowed for the call. */
struct post_message {
	const char *target, *key;
	const char *note, *body;
	size_t note_len, body_len;
	int64_t raised_us;       /* wall clock of post_send */
	unsigned tries;
	const char *reason;      /* on_dead: expired, rejected, no_target */
	const char *words;       /* on_dead: what the other side said, escaped and short; or "" */
};

struct post_config {
	struct loop *loop;
	const char *spool;       /* directory, made 0700 */
	const char *discord_base;        /* DISCORD_API_BASE */
	const char *bot_token;   /* "" or NULL: channels are refused as targets */
	const char *proxy, *ca_file;     /* as fetch/fetch.h has them */
	/* Callbacks may call post_send. */
	void (*on_sent)(void *priv, const struct post_message *);
	void (*on_dead)(void *priv, const struct post_message *);
	void *priv;
	/* 0: as said here */
	int64_t connect_ms, total_ms;            /* 5 s, 15 s; a command has total_ms */
	int64_t retry_min_ms, retry_max_ms;      /* 1 s, 5 min */
	int64_t max_age_ms;                      /* 1 h */
	int64_t invalid_window_ms;               /* 10 min … */
	unsigned invalid_max;                    /* … in which fewer than 100 requests may be answered 401, 403 or 429 */
};

/* Copies the configuration, reads the spool and starts on it as soon as targets are known.  Dies with 78 on a base URL that cannot be used, with 74 on a
 * spool that cannot be written, with 75 when another process has it.  Once per process. */
struct post *post_new(const struct post_config *);
void post_free(struct post **);

/* A target by a name that may be shown (letters, digits, '_', '-', '.', at most 64), the same one after a restart.  The same definition again changes nothing;
 * another one takes its place and opens it if it was shut.  0, or -1 and *why (static text, no secret in it). */
int post_target_set(struct post *, const char *name, const struct post_target *, const char **why);
/* What waits for it is dead (no_target) when nobody has set it again within max_age_ms. */
void post_target_del(struct post *, const char *name);
/* A webhook's URL: Discord's own (also at discord_base) or anybody's. */
enum post_kind post_url_kind(const struct post *, const char *url);

/* key: 1 to 200 bytes that are the same when the same message is raised again, also after a restart; target and key together are remembered for a day.
 * body: for Discord what post_text and post_embed made, JSON for a webhook, anything for a command; at most 64 KiB.  note: the caller's own, at most 64 KiB,
 * handed to the callbacks.
 * 0: in the spool (or, if the disk fails, which is logged, in memory only); 1: that key is known, nothing done; -1: errno EINVAL body, key or name is
 * none (nothing counted), ENOSPC 10,000 messages or 64 MiB wait already (counted as dead, full).  A target that is not set (yet) is no error: the message waits. */
int post_send(struct post *, const char *target, const char *key, const char *body, size_t len, const char *note, size_t note_len);

size_t post_pending(const struct post *);
size_t post_in_flight(const struct post *);
/* Nothing new is begun; run the loop until post_in_flight is 0 or patience ends, then post_free. */
void post_stop(struct post *);
/* One line for each target: "name kind waiting state", the state in words ("shut: 401", "again in 12 s", "ready"). */
void post_status(const struct post *, struct buf *);

/* ---- bodies for Discord ----
 * Text is UTF-8 of any length; what is not UTF-8 becomes U+FFFD, control characters but newline and tab go.  Lengths are in code points; what is cut ends
 * in "…".  allowed_mentions is always empty: nobody is pinged, whatever a text says. */
struct post_str { const char *p; size_t len; };
#define POST_STR(s) ((struct post_str){ (s), strlen(s) })

struct post_field { struct post_str name, value; int is_inline; };

struct post_embed {
	struct post_str title, description, footer, author;      /* 256, 4096, 2048, 256; { 0 } leaves one out */
	int color;                       /* 0xRRGGBB; -1: none */
	int64_t at_us;                   /* shown as the embed's time; 0: none */
	const struct post_field *fields; /* 25 at most, 256 and 1024; what is over 6000 in all is cut from the end, description first to stay */
	size_t n_fields;
};

int post_text(struct buf *, const char *text, size_t len);              /* 2000; 0, or -1 when out's maximum is too small (64 KiB is enough) */
int post_embed(struct buf *, struct post_str content, const struct post_embed *);
/* Appends text with Discord's markup made harmless, for names and chat within a message. */
int post_escape(struct buf *, const char *text, size_t len);

/* "https://host/…" of a URL: what may be logged. */
void post_redact(const char *url, char *out, size_t size);

#endif
