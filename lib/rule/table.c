#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"
#include "rule/rule_int.h"

static size_t
hash(const char *key, size_t len)
{
	uint64_t h = 1469598103934665603u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)key[i]) * 1099511628211u;
	return (size_t)(h ^ h >> 32);
}

static void
grow(struct table *t)
{
	size_t n = t->n_buckets ? t->n_buckets * 2 : 64;
	struct entry **bucket = xcalloc(n, sizeof(*bucket)), *e, *next;

	for (size_t i = 0; i < t->n_buckets; i++)
		for (e = t->bucket[i]; e != NULL; e = next) {
			struct entry **to = &bucket[hash(e->key, strlen(e->key)) & (n - 1)];
			next = e->next;
			e->next = *to;
			*to = e;
		}
	free(t->bucket);
	t->bucket = bucket;
	t->n_buckets = n;
}

/* NULL: it is not there, or there is no room for more. */
struct entry *
table_get(struct table *t, const char *key, size_t len, int make)
{
	struct entry *e, **at;

	if (t->n_buckets > 0)
		for (e = t->bucket[hash(key, len) & (t->n_buckets - 1)]; e != NULL; e = e->next)
			if (strncmp(e->key, key, len) == 0 && e->key[len] == '\0')
				return e;
	if (!make || t->n >= RULE_KEYS_MAX)
		return NULL;
	if (t->n >= t->n_buckets)
		grow(t);
	e = xcalloc(1, sizeof(*e));
	e->key = xstrndup(key, len);
	e->who = xstrdup("");
	e->value = -1;
	memset(e->val, -1, sizeof(e->val));
	at = &t->bucket[hash(key, len) & (t->n_buckets - 1)];
	e->next = *at;
	*at = e;
	t->n++;
	return e;
}

void
table_each(const struct table *t, void (*f)(void *priv, struct entry *), void *priv)
{
	for (size_t i = 0; i < t->n_buckets; i++)
		for (struct entry *e = t->bucket[i]; e != NULL; e = e->next)
			f(priv, e);
}

static void
entry_free(struct entry *e)
{
	free(e->key);
	free(e->who);
	free(e->first);
	free(e);
}

void
table_prune(struct table *t, int (*old)(void *priv, const struct entry *), void *priv)
{
	struct entry **at, *e;

	for (size_t i = 0; i < t->n_buckets; i++)
		for (at = &t->bucket[i]; (e = *at) != NULL;)
			if (old(priv, e)) {
				*at = e->next;
				entry_free(e);
				t->n--;
			} else {
				at = &e->next;
			}
}

static int
all(void *priv, const struct entry *e)
{
	(void)priv;
	(void)e;
	return 1;
}

void
table_free(struct table *t)
{
	table_prune(t, all, NULL);
	free(t->bucket);
	memset(t, 0, sizeof(*t));
}
