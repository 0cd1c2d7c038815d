/* names: a name → item map; items begin with a struct name.  What the database calls by number and the stream by name. */
#ifndef NAMES_H
#define NAMES_H
#include <stddef.h>
#include <stdint.h>

struct name {
	uint64_t hash;
	const char *text;            /* behind the item, NUL-terminated */
	uint32_t len;
	uint32_t id;
	uint8_t saved;               /* the database knows it, or will when the batch in hand is stored */
	uint8_t dirty;
};

struct names {
	struct name **slot;
	size_t n, mask, item_size, max;
	uint32_t next_id;
};

void names_init(struct names *, size_t item_size, size_t max);
void names_fini(struct names *);
struct name *names_get(const struct names *, const char *text, size_t len);
struct name *names_add(struct names *, uint32_t id, const char *text, size_t len);   /* id 0: the next free one.  The rest of the item is zero */
int names_full(const struct names *);

#endif
