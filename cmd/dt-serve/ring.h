/* ring: the newest events as ready-made WebSocket frames, shared by all browsers; each browser is a position in it.
 * Messages that make no handy frame (over RING_FRAME_MAX) are kept beside it, counted by reference.
 * The oldest make room for the newest; before each goes, the owner is told its number. */
#ifndef RING_H
#define RING_H
#include <stddef.h>
#include <stdint.h>

#define RING_FRAME_MAX 60000u        /* bytes of a message that goes as one frame */

struct ring_big {
	unsigned refs;
	size_t len;
	char data[];
};

struct ring_msg {
	uint64_t seq;                /* 0: made by the server */
	uint64_t name_hash;          /* of character_name; 0: none */
	const char *frame;           /* header and payload; NULL when big */
	struct ring_big *big;
	uint32_t len;                /* payload */
	uint32_t type_at;            /* where in the payload the type stands */
	uint16_t type_len;
	int16_t type_id;             /* event_type_id */
	uint8_t header;              /* bytes of the frame's header */
};

struct ring_run {                    /* frames side by side */
	const char *frames;
	size_t len;                  /* 0: there are none, or a big one is first */
	uint64_t count, next;        /* how many they are, and the number of the message behind them */
};

struct ring;
/* evict is called with the number of each message that is about to go; it may look at all messages, that one included. */
struct ring *ring_new(size_t bytes, size_t messages, size_t big_bytes, void (*evict)(void *priv, uint64_t n), void *priv);
void ring_free(struct ring **);

/* The same, with long messages counted together with those of another ring: a reference may be given back to either. */
struct ring *ring_new_beside(struct ring *, size_t bytes, size_t messages, size_t big_bytes, void (*evict)(void *priv, uint64_t n), void *priv);

uint64_t ring_first(const struct ring *);        /* number of the oldest message that is held */
uint64_t ring_end(const struct ring *);          /* number of the next message to come */
const struct ring_msg *ring_get(const struct ring *, uint64_t n);
static inline const char *
ring_payload(const struct ring_msg *m)
{
	return m->big != NULL ? m->big->data : m->frame + m->header;
}

size_t ring_slots(const struct ring *);          /* number n lies at n modulo this */
struct ring_run ring_run(const struct ring *, uint64_t n, size_t max);   /* from n on, at most so many bytes */

/* Copies the payload; what else is known of it comes in the message.  Returns its number. */
uint64_t ring_add(struct ring *, const struct ring_msg *, const char *payload, size_t len);

struct ring_big *ring_big_ref(struct ring_big *);
void ring_big_unref(struct ring *, struct ring_big **);
size_t ring_big_bytes(const struct ring *);      /* of all that exist, also those only held by references */

#endif
