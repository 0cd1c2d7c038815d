#include "ring.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "http/http.h"
#include "mem/mem.h"

struct ring {
	char *data;
	size_t size, head;           /* head: where the next frame goes */
	struct ring_msg *msg;        /* by number, modulo slots */
	size_t slots;
	uint64_t first, end;
	size_t big_kept, big_max;    /* bytes of the big ones in the ring */
	size_t own_alive, *big_alive;
	void (*evict)(void *priv, uint64_t n);
	void *priv;
};

struct ring *
ring_new(size_t bytes, size_t messages, size_t big_bytes, void (*evict)(void *priv, uint64_t n), void *priv)
{
	struct ring *r = xcalloc(1, sizeof(*r));

	assert(bytes > 2 * (RING_FRAME_MAX + 10));
	*r = (struct ring){ .size = bytes, .slots = messages, .big_max = big_bytes, .evict = evict, .priv = priv };
	r->big_alive = &r->own_alive;
	r->data = xmalloc(bytes);
	r->msg = xcalloc(messages, sizeof(*r->msg));
	return r;
}

struct ring *
ring_new_beside(struct ring *other, size_t bytes, size_t messages, size_t big_bytes, void (*evict)(void *priv, uint64_t n), void *priv)
{
	struct ring *r = ring_new(bytes, messages, big_bytes, evict, priv);

	r->big_alive = other->big_alive;
	return r;
}

uint64_t
ring_first(const struct ring *r)
{
	return r->first;
}

uint64_t
ring_end(const struct ring *r)
{
	return r->end;
}

const struct ring_msg *
ring_get(const struct ring *r, uint64_t n)
{
	assert(n >= r->first && n < r->end);
	return &r->msg[n % r->slots];
}

size_t
ring_slots(const struct ring *r)
{
	return r->slots;
}

struct ring_run
ring_run(const struct ring *r, uint64_t n, size_t max)
{
	struct ring_run run = { .frames = ring_get(r, n)->frame, .next = n };

	for (; run.next < r->end; run.next++) {
		const struct ring_msg *m = &r->msg[run.next % r->slots];

		if (m->big != NULL || m->frame != run.frames + run.len || run.len + m->header + m->len > max)
			break;
		run.len += m->header + m->len;
	}
	run.count = run.next - n;
	return run;
}

/* ---- big ones ---- */

struct ring_big *
ring_big_ref(struct ring_big *big)
{
	big->refs++;
	return big;
}

void
ring_big_unref(struct ring *r, struct ring_big **bigp)
{
	struct ring_big *big = *bigp;

	*bigp = NULL;
	if (big == NULL || --big->refs > 0)
		return;
	*r->big_alive -= big->len;
	free(big);
}

size_t
ring_big_bytes(const struct ring *r)
{
	return *r->big_alive;
}

static struct ring_big *
big_new(struct ring *r, const char *payload, size_t len)
{
	struct ring_big *big = xmalloc(sizeof(*big) + len);

	big->refs = 1;
	big->len = len;
	memcpy(big->data, payload, len);
	*r->big_alive += len;
	r->big_kept += len;
	return big;
}

/* ---- adding and forgetting ---- */

static void
drop_first(struct ring *r)
{
	struct ring_msg *m = &r->msg[r->first % r->slots];

	r->evict(r->priv, r->first);
	if (m->big != NULL)
		r->big_kept -= m->big->len;
	ring_big_unref(r, &m->big);
	r->first++;
}

/* Does the oldest frame stand in [at, at + need)?  Big ones stand nowhere, but those before it go with it. */
static int
is_in_the_way(const struct ring *r, size_t at, size_t need)
{
	uint64_t n;

	for (n = r->first; n < r->end; n++) {
		const struct ring_msg *m = &r->msg[n % r->slots];

		if (m->frame != NULL) {
			size_t begin = (size_t)(m->frame - r->data);

			return begin < at + need && begin + m->header + m->len > at;
		}
	}
	return 0;
}

/* A place for a frame: frames are never cut in two, so that what is left at the end of the ring stays empty. */
static char *
place(struct ring *r, size_t need)
{
	if (r->head + need > r->size) {
		while (is_in_the_way(r, r->head, r->size - r->head))
			drop_first(r);
		r->head = 0;
	}
	while (is_in_the_way(r, r->head, need))
		drop_first(r);
	r->head += need;
	return r->data + r->head - need;
}

uint64_t
ring_add(struct ring *r, const struct ring_msg *about, const char *payload, size_t len)
{
	struct ring_msg m = *about;
	char header[10];

	m.len = (uint32_t)len;
	m.frame = NULL;
	m.big = NULL;
	m.header = 0;
	if (len > RING_FRAME_MAX) {
		while (r->first < r->end && r->big_kept > 0 && r->big_kept + len > r->big_max)
			drop_first(r);
		m.big = big_new(r, payload, len);
	} else {
		char *at;

		m.header = (uint8_t)http_ws_frame(header, len);
		at = place(r, m.header + len);
		memcpy(at, header, m.header);
		memcpy(at + m.header, payload, len);
		m.frame = at;
	}
	if (r->end - r->first == r->slots)
		drop_first(r);
	r->msg[r->end % r->slots] = m;
	return r->end++;
}

void
ring_free(struct ring **rp)
{
	struct ring *r = *rp;

	if (r == NULL)
		return;
	for (; r->first < r->end; r->first++)
		ring_big_unref(r, &r->msg[r->first % r->slots].big);
	free(r->data);
	free(r->msg);
	free(r);
	*rp = NULL;
}
