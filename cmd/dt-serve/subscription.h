/* subscription: what one browser wants of the stream, from its subscribe message. */
#ifndef SUBSCRIPTION_H
#define SUBSCRIPTION_H
#include <stddef.h>
#include <stdint.h>

#include "buf/buf.h"
#include "event/event.h"
#include "json/json.h"
#include "ring.h"

#define SUBSCRIPTION_BATCH_MAX_MS 5000
#define SUBSCRIPTION_KNOWN_MAX 64            /* event types whose verdict is remembered */

struct subscription_rate {
	char *type;
	double per_s;
};

struct subscription {
	char **types;                        /* NULL-terminated; NULL: all */
	char **characters;                   /* likewise */
	uint64_t *name_hash;                 /* of characters */
	size_t n_characters;
	struct subscription_rate *rates;
	size_t n_rates;
	char *jq;                            /* NULL: none; the bus runs it */
	int batch_ms;                        /* 0: one event a frame */
	int snapshot;
	int has_from;
	uint64_t from;
	int8_t known[SUBSCRIPTION_KNOWN_MAX];/* by event_type_id: 0 not known yet, 1 wanted, -1 not */
};

struct subscription *subscription_all(void);     /* what a browser has that has not asked yet */
/* NULL when the message is no good: why is in error, a sentence. */
struct subscription *subscription_parse(const struct json *, char *error, size_t size);
struct subscription *subscription_dup_words(const struct subscription *);        /* its types and characters alone */
void subscription_free(struct subscription **);

int subscription_wants(struct subscription *, const struct ring_msg *);
double subscription_rate(const struct subscription *, const struct ring_msg *);   /* a second and character; 0: no limit */
void subscription_write(const struct subscription *, uint64_t seq, struct buf *out);   /* the `subscribed` answer */

void subscription_write_words(const struct subscription *, struct buf *out);      /* types, characters and jq of it: what decides which events it is sent */
char *subscription_key(const struct subscription *);             /* the same as text, to be freed */

/* What a ring has to know of an event. */
void subscription_message(const struct event *, uint64_t seq, struct ring_msg *);
uint64_t subscription_name_hash(const char *name, size_t len);   /* never 0 */

#endif
