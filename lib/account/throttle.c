#include "account/throttle.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"

#define ENTRIES 2048
#define WAYS 8                       /* places in which a key may stand */
#define KEY_SIZE 64
#define FREE_FAILURES 5
#define WAIT_MIN_MS 1000
#define WAIT_MAX_MS 300000
#define FORGET_MS 3600000            /* an account that was left alone for so long starts anew */
#define TRIES 20
#define MINUTE_MS 60000

struct entry {
	char key[KEY_SIZE];          /* "a<account>" or "i<address>" */
	unsigned count;              /* failures, or tries of this minute */
	int64_t at_ms;               /* of the last failure, or when the minute began */
	int64_t until_ms;
};

struct throttle { struct entry entry[ENTRIES]; };

struct throttle *
throttle_new(void)
{
	return xcalloc(1, sizeof(struct throttle));
}

void
throttle_free(struct throttle **tp)
{
	free(*tp);
	*tp = NULL;
}

/* Whoever has an IPv6 address has the 2^64 around it too: they count as one. */
static void
address_key(const char *address, char out[KEY_SIZE])
{
	struct in6_addr a;

	(void)snprintf(out, KEY_SIZE, "%s", address);
	if (inet_pton(AF_INET6, address, &a) != 1 || IN6_IS_ADDR_V4MAPPED(&a))
		return;
	memset(a.s6_addr + 8, 0, 8);
	(void)inet_ntop(AF_INET6, &a, out, KEY_SIZE);
}

/* The entry of a key; a new one takes the place that was quiet longest of those where it may stand. */
static struct entry *
find(struct throttle *t, char kind, const char *text)
{
	uint64_t hash = 14695981039346656037u ^ (unsigned char)kind;
	struct entry *oldest = NULL, *e;
	char key[KEY_SIZE] = { kind };

	for (size_t i = 0; text[i] != '\0'; i++) {
		hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
		if (i + 2 < KEY_SIZE)
			key[i + 1] = text[i];
	}
	for (size_t i = 0; i < WAYS; i++) {
		e = &t->entry[(hash / WAYS * WAYS + i) % ENTRIES];
		if (strcmp(e->key, key) == 0)
			return e;
		if (oldest == NULL || e->at_ms < oldest->at_ms)
			oldest = e;
	}
	memset(oldest, 0, sizeof(*oldest));
	memcpy(oldest->key, key, sizeof(key));
	return oldest;
}

int64_t
throttle_wait(struct throttle *t, const char *account, const char *address, int64_t now_ms)
{
	char key[KEY_SIZE];
	struct entry *a, *i;

	address_key(address, key);
	a = find(t, 'a', account);
	i = find(t, 'i', key);
	if (now_ms < a->until_ms)
		return a->until_ms - now_ms;
	if (i->count == 0 || now_ms - i->at_ms >= MINUTE_MS) {
		i->at_ms = now_ms;
		i->count = 0;
	}
	if (i->count >= TRIES)
		return i->at_ms + MINUTE_MS - now_ms;
	i->count++;
	return 0;
}

void
throttle_failed(struct throttle *t, const char *account, int64_t now_ms)
{
	struct entry *e = find(t, 'a', account);
	int64_t wait = WAIT_MIN_MS;

	if (now_ms - e->at_ms > FORGET_MS)
		e->count = 0;
	e->at_ms = now_ms;
	if (++e->count < FREE_FAILURES)
		return;
	for (unsigned n = FREE_FAILURES; n < e->count && wait < WAIT_MAX_MS; n++)
		wait *= 2;
	e->until_ms = now_ms + (wait < WAIT_MAX_MS ? wait : WAIT_MAX_MS);
}

void
throttle_succeeded(struct throttle *t, const char *account)
{
	struct entry *e = find(t, 'a', account);

	e->count = 0;
	e->until_ms = 0;
}
