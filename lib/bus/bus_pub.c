/* The publisher: lines stay in a ring until the bus has acknowledged them, and are sent again from where the bus says after each reconnection. */
#include "bus/bus.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "buf/buf.h"
#include "bus/bus_link.h"
#include "clock/clock.h"
#include "env/env.h"
#include "log/log.h"
#include "mem/mem.h"
#include "ndjson/ndjson.h"

#define FLUSH_AT (256u << 10)        /* unsent bytes that are worth a write before the loop's next turn */
#define RING_MIN (64u << 10)
#define RING_KEEP (1u << 20)         /* a larger ring is given back when it has run empty */
#define REFUSED 0x80000000u          /* in lens[]: the bus has refused this line */

enum state { DOWN, GREETING, UP };

struct bus_pub {
	struct pollable pollable;        /* first: handle() casts */
	struct bus_pub_config config;
	struct bus_link link;
	enum state state;
	struct ndjson *lines;
	char session[33];
	uint64_t base;                   /* numbers on the wire are ours less base: lines of earlier sessions */
	uint64_t first, next;            /* lines [first, next) are in the ring */
	char *ring;
	size_t cap, head, used;          /* bytes; the content may wrap */
	size_t sent;                     /* of used, on this connection */
	int blocked;                     /* the socket took no more at the last write */
	uint32_t *lens;                  /* of line n, with its newline, at n % lens_cap */
	size_t lens_cap;
};

/* ---- the ring ---- */

static void
ring_resize(struct bus_pub *pub, size_t cap)
{
	char *ring = xmalloc(cap);
	size_t tail = pub->cap - pub->head;

	if (tail > pub->used)
		tail = pub->used;
	if (pub->used > 0) {
		memcpy(ring, pub->ring + pub->head, tail);
		memcpy(ring + tail, pub->ring, pub->used - tail);
	}
	free(pub->ring);
	pub->ring = ring;
	pub->cap = cap;
	pub->head = 0;
}

static void
ring_grow(struct bus_pub *pub, size_t want)
{
	size_t cap = pub->cap ? pub->cap : RING_MIN;

	while (cap < want)
		cap *= 2;
	if (cap > pub->config.max_bytes)
		cap = want > pub->config.max_bytes ? want : pub->config.max_bytes;
	ring_resize(pub, cap);
}

static void
lens_grow(struct bus_pub *pub)
{
	size_t cap = pub->lens_cap ? pub->lens_cap * 2 : 256;
	uint32_t *lens = xreallocarray(NULL, cap, sizeof(*lens));
	uint64_t n;

	for (n = pub->first; n < pub->next; n++)
		lens[n % cap] = pub->lens[n % pub->lens_cap];
	free(pub->lens);
	pub->lens = lens;
	pub->lens_cap = cap;
}

static void
ring_release(struct bus_pub *pub)
{
	pub->head = 0;
	if (pub->cap <= RING_KEEP)
		return;
	free(pub->ring);
	free(pub->lens);
	pub->ring = NULL;
	pub->lens = NULL;
	pub->cap = pub->lens_cap = 0;
}

static void
put(struct bus_pub *pub, const char *data, size_t len)
{
	size_t at = (pub->head + pub->used) % pub->cap;
	size_t part = pub->cap - at < len ? pub->cap - at : len;

	memcpy(pub->ring + at, data, part);
	memcpy(pub->ring, data + part, len - part);
	pub->used += len;
}

/* A line break would shift the numbers of all that follows; in JSON it can only stand between tokens. */
static void
put_line(struct bus_pub *pub, const char *line, size_t len)
{
	size_t i, part;

	while (len > 0) {
		part = len;
		for (i = 0; i < 2; i++) {
			const char *brk = memchr(line, "\n\r"[i], part);
			if (brk != NULL)
				part = (size_t)(brk - line);
		}
		put(pub, line, part);
		if (part < len) {
			put(pub, " ", 1);
			part++;
		}
		line += part;
		len -= part;
	}
	put(pub, "\n", 1);
}

/* Drops lines up to and with n.  -1: the bus speaks of bytes that were not sent. */
static int
drop_through(struct bus_pub *pub, uint64_t n, size_t limit)
{
	size_t bytes = 0;
	uint64_t i;

	for (i = pub->first; i <= n; i++)
		bytes += pub->lens[i % pub->lens_cap] & ~REFUSED;
	if (bytes > limit)
		return -1;
	pub->first = n + 1;
	pub->head = (pub->head + bytes) % pub->cap;
	pub->used -= bytes;
	pub->sent = pub->sent > bytes ? pub->sent - bytes : 0;
	return 0;
}

/* ---- the connection ---- */

static void
want(struct bus_pub *pub)
{
	pub->pollable.fd = pub->link.fd;
	pub->pollable.events = POLLIN | (pub->state == UP && pub->sent < pub->used ? POLLOUT : 0);
}

static void
go_down(struct bus_pub *pub, const char *why)
{
	pub->pollable.deadline_ms = bus_link_down(&pub->link, why, clock_mono_ms());
	pub->state = DOWN;
	pub->sent = 0;
	want(pub);
}

static void
new_session(struct bus_pub *pub)
{
	unsigned char id[16];
	size_t i;

	if (getrandom(id, sizeof(id), 0) != sizeof(id))
		die(71, "unable to get random bytes: %s", strerror(errno));
	for (i = 0; i < sizeof(id); i++)
		sprintf(pub->session + 2 * i, "%02x", id[i]);
	pub->base = pub->first - 1;
}

static void
greet(struct bus_pub *pub)
{
	struct buf hello = BUF_INIT(4096);
	ssize_t n;

	if (bus_link_connect(&pub->link) == -1) {
		go_down(pub, strerror(errno));
		return;
	}
	ndjson_free(&pub->lines);
	pub->lines = ndjson_new(BUS_LINK_CONTROL_MAX);
	(void)buf_appends(&hello, "{\"hello\":{\"name\":");
	(void)buf_append_json(&hello, pub->config.name, strlen(pub->config.name));
	(void)buf_printf(&hello, ",\"session\":\"%s\",\"next\":%ju}}\n", pub->session, (uintmax_t)(pub->first - pub->base));
	n = send(pub->link.fd, buf_data(&hello), buf_size(&hello), MSG_NOSIGNAL);
	if (n == (ssize_t)buf_size(&hello)) {
		pub->state = GREETING;
		pub->pollable.deadline_ms = clock_mono_ms() + BUS_LINK_ANSWER_MS;
		want(pub);
	} else
		go_down(pub, n == -1 ? strerror(errno) : "it takes no greeting");
	buf_fini(&hello);
}

static void
flush(struct bus_pub *pub)
{
	struct iovec iov[2];
	struct msghdr msg = { .msg_iov = iov };
	size_t at, left, part;
	ssize_t n;

	pub->blocked = 0;
	while (pub->sent < pub->used) {
		at = (pub->head + pub->sent) % pub->cap;
		left = pub->used - pub->sent;
		part = pub->cap - at < left ? pub->cap - at : left;
		iov[0] = (struct iovec){ pub->ring + at, part };
		iov[1] = (struct iovec){ pub->ring, left - part };
		msg.msg_iovlen = left > part ? 2 : 1;
		n = sendmsg(pub->link.fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN) {
			pub->blocked = 1;
			break;
		}
		if (n == -1) {
			go_down(pub, strerror(errno));
			return;
		}
		pub->sent += (size_t)n;
	}
	want(pub);
}

/* ---- what the bus says ---- */

/* Refused lines at the front need no acknowledgement of their own, once they are sent (again, after a reconnection). */
static void
settle(struct bus_pub *pub, uint64_t before)
{
	while (pub->first < pub->next && pub->lens[pub->first % pub->lens_cap] & REFUSED)
		if (drop_through(pub, pub->first, pub->sent) == -1)
			break;
	if (pub->first == before)
		return;
	if (pub->config.on_ack != NULL)
		pub->config.on_ack(pub->config.priv, pub->first - 1);
	if (pub->used == 0)
		ring_release(pub);
}

/* A bus that expects less than we still hold has a new journal, or had not written down the refused lines before it died; one that expects more
 * than we ever sent has mixed us up.  Either way it holds none of our lines, which start a session of their own. */
static int
on_welcome(struct bus_pub *pub, uint64_t expected)
{
	uint64_t n = expected + pub->base, before = pub->first;

	if (n < pub->first || n > pub->next) {
		log_info("the bus expects line %ju, not %ju: starting a new session", (uintmax_t)expected, (uintmax_t)(pub->first - pub->base));
		new_session(pub);
		bus_link_close(&pub->link);
		pub->state = DOWN;
		pub->pollable.deadline_ms = clock_mono_ms() + BUS_LINK_BACKOFF_MIN_MS;
		return 1;
	}
	if (n > pub->first)
		(void)drop_through(pub, n - 1, pub->used);
	bus_link_up(&pub->link);
	pub->state = UP;
	pub->sent = 0;
	pub->pollable.deadline_ms = CLOCK_NEVER;
	settle(pub, before);
	return 0;
}

static int
on_ack(struct bus_pub *pub, uint64_t acked)
{
	uint64_t n = acked + pub->base, before = pub->first;

	if (n < pub->first)
		return 0;
	if (n >= pub->next || drop_through(pub, n, pub->sent) == -1) {
		go_down(pub, "it acknowledged lines that were not sent");
		return 1;
	}
	settle(pub, before);
	return 0;
}

static void
on_refusal(struct bus_pub *pub, uint64_t refused, const char *reason)
{
	uint64_t n = refused + pub->base, before = pub->first;
	uint32_t *len;
	int said = 0;                    /* before a reconnection */

	if (refused == 0)
		log_warn("the bus at %s refused us: %s", pub->link.path, reason);
	if (refused == 0 || n >= pub->next)
		return;
	if (n >= pub->first) {
		len = &pub->lens[n % pub->lens_cap];
		said = (*len & REFUSED) != 0;
		*len |= REFUSED;
	}
	if (!said && pub->config.on_error != NULL)
		pub->config.on_error(pub->config.priv, n, reason);
	else if (!said)
		log_warn("the bus refused line %ju: %s", (uintmax_t)n, reason);
	settle(pub, before);
}

static int
on_line(void *priv, const char *line, size_t len)
{
	struct bus_pub *pub = priv;
	char reason[256];
	uint64_t n;

	if (line == NULL)
		return 0;
	if (pub->state == GREETING && bus_link_number(line, len, "next", &n))
		return on_welcome(pub, n);
	if (pub->state == DOWN)
		return 1;
	if (bus_link_number(line, len, "ack", &n))
		return on_ack(pub, n);
	if (bus_link_number(line, len, "n", &n)) {
		if (!bus_link_string(line, len, "reason", reason, sizeof(reason)))
			strcpy(reason, "no reason given");
		on_refusal(pub, n, reason);
		return 0;
	}
	log_warn("the bus said what no publisher understands: %.*s", len > 200 ? 200 : (int)len, line);
	return 0;
}

static void
receive(struct bus_pub *pub)
{
	char data[16384];
	ssize_t n = recv(pub->link.fd, data, sizeof(data), 0);

	if (n > 0) {
		(void)ndjson_feed(pub->lines, data, (size_t)n, on_line, pub);
		want(pub);
	} else if (n == 0)
		go_down(pub, "it closed the connection");
	else if (errno != EAGAIN && errno != EINTR)
		go_down(pub, strerror(errno));
}

static void
handle(struct pollable *pollable, short revents, int64_t now_ms)
{
	struct bus_pub *pub = (struct bus_pub *)pollable;

	(void)now_ms;
	if (pub->state == DOWN) {
		greet(pub);
		return;
	}
	if (revents == 0 && pub->state == GREETING) {
		go_down(pub, "it does not answer");
		return;
	}
	if (revents & (POLLIN | POLLHUP | POLLERR))
		receive(pub);
	if (pub->state == UP)
		flush(pub);
}

/* ---- the caller's side ---- */

struct bus_pub *
bus_pub_new(const struct bus_pub_config *config)
{
	struct bus_pub *pub = xcalloc(1, sizeof(*pub));

	pub->config = *config;
	pub->config.name = xstrdup(config->name);
	bus_link_init(&pub->link, config->path);
	pub->config.path = pub->link.path;
	pub->first = pub->next = 1;
	pub->state = DOWN;
	pub->pollable = (struct pollable){ .fd = -1, .deadline_ms = 0, .handle = handle };
	new_session(pub);
	return pub;
}

void
bus_pub_free(struct bus_pub **pubp)
{
	struct bus_pub *pub = *pubp;

	if (pub == NULL)
		return;
	*pubp = NULL;
	bus_link_fini(&pub->link);
	ndjson_free(&pub->lines);
	free((char *)pub->config.name);
	free(pub->ring);
	free(pub->lens);
	free(pub);
}

struct pollable *
bus_pub_pollable(struct bus_pub *pub)
{
	return &pub->pollable;
}

uint64_t
bus_pub_send(struct bus_pub *pub, const char *line, size_t len)
{
	size_t bytes;

	if (len == 0) {
		line = " ";              /* an empty line would not be counted */
		len = 1;
	}
	bytes = len + 1;
	assert(bytes < REFUSED);
	if (pub->used > 0 && pub->used + bytes > pub->config.max_bytes)
		return 0;
	if (pub->used + bytes > pub->cap)
		ring_grow(pub, pub->used + bytes);
	if (pub->next - pub->first >= pub->lens_cap)
		lens_grow(pub);
	put_line(pub, line, len);
	pub->lens[pub->next % pub->lens_cap] = (uint32_t)bytes;
	pub->next++;
	if (pub->state == UP) {
		pub->pollable.events |= POLLOUT;
		if (!pub->blocked && pub->used - pub->sent >= FLUSH_AT)
			flush(pub);
	}
	return pub->next - 1;
}

size_t
bus_pub_room(const struct bus_pub *pub)
{
	return pub->used < pub->config.max_bytes ? pub->config.max_bytes - pub->used : 0;
}

uint64_t
bus_pub_unacked(const struct bus_pub *pub)
{
	return pub->next - pub->first;
}

int
bus_pub_connected(const struct bus_pub *pub)
{
	return pub->state == UP;
}

char *
bus_in_path(void)
{
	return env_run_path("events.in");
}

char *
bus_out_path(void)
{
	return env_run_path("events.out");
}
