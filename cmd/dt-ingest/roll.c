#include "roll.h"

#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"

#define BUCKETS 1024

struct roll {
	LIST_HEAD(, roll_conn) conns;
	unsigned count;
	uint64_t n;
	SLIST_HEAD(bucket, roll_name) names[BUCKETS];
};

struct roll *
roll_new(void)
{
	return xcalloc(1, sizeof(struct roll));
}

void
roll_free(struct roll **rp)
{
	struct roll *r = *rp;

	if (r == NULL)
		return;
	while (!LIST_EMPTY(&r->conns))
		roll_del(r, LIST_FIRST(&r->conns));
	free(r);
	*rp = NULL;
}

static struct bucket *
bucket_of(struct roll *r, const char *name)
{
	uint64_t h = 14695981039346656037ull;

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 1099511628211ull;
	return &r->names[(h ^ h >> 32) % BUCKETS];
}

struct roll_conn *
roll_add(struct roll *r)
{
	struct roll_conn *c = xcalloc(1, sizeof(*c));

	c->landblock = -1;
	c->n = ++r->n;
	LIST_INSERT_HEAD(&r->conns, c, link);
	r->count++;
	return c;
}

void
roll_del(struct roll *r, struct roll_conn *c)
{
	struct roll_name *n;

	while ((n = LIST_FIRST(&c->names)) != NULL) {
		LIST_REMOVE(n, by_owner);
		SLIST_REMOVE(bucket_of(r, n->text), n, roll_name, by_hash);
		free(n);
	}
	LIST_REMOVE(c, link);
	r->count--;
	free(c);
}

struct roll_conn *
roll_first(struct roll *r)
{
	return LIST_FIRST(&r->conns);
}

unsigned
roll_count(const struct roll *r)
{
	return r->count;
}

struct roll_name *
roll_find(struct roll *r, const char *name)
{
	struct roll_name *n;

	SLIST_FOREACH(n, bucket_of(r, name), by_hash)
		if (strcmp(n->text, name) == 0)
			break;
	return n;
}

struct roll_name *
roll_bind(struct roll *r, struct roll_conn *c, const char *name, struct roll_conn **from)
{
	struct roll_name *n = c->last;

	*from = NULL;
	if (n != NULL && strcmp(n->text, name) == 0)
		return n;
	n = roll_find(r, name);
	if (n != NULL && n->owner->n > c->n)
		return NULL;
	if (c->n_names >= ROLL_NAMES_MAX && (n == NULL || n->owner != c))
		return NULL;
	if (n == NULL) {
		n = xcalloc(1, sizeof(*n));
		memcpy(n->text, name, strlen(name) + 1);
		SLIST_INSERT_HEAD(bucket_of(r, name), n, by_hash);
	} else if (n->owner != c) {
		*from = n->owner;
		if (n->owner->last == n)
			n->owner->last = NULL;
		LIST_REMOVE(n, by_owner);
		n->owner->n_names--;
	}
	if (n->owner != c) {
		LIST_INSERT_HEAD(&c->names, n, by_owner);
		c->n_names++;
	}
	n->owner = c;
	c->last = n;
	return n;
}
