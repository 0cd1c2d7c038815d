/* A place in an order as text: "<column>.<direction>.<absent>.<number>.<item id>[.<text>]", the last four in hexadecimal. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "itemdb/itemdb_int.h"

void
itemdb_key_write(const struct itemdb_key *k, const struct itemdb_order *o, struct buf *b)
{
	(void)buf_printf(b, "%s.%c.%d.%" PRIx64 ".%" PRIx32, itemdb_column_name(o->column), o->descending ? 'd' : 'a', k->absent, k->number, (uint32_t)k->item_id);
	if (k->text_len > 0)
		(void)buf_appends(b, ".");
	for (unsigned i = 0; i < k->text_len; i++)
		(void)buf_printf(b, "%02x", (unsigned char)k->text[i]);
}

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Up to '.' or the end, which it returns; NULL when it is no number of so many digits. */
static const char *
read_hex(const char *p, int max_digits, uint64_t *n)
{
	int digits = 0;

	for (*n = 0; hex_digit(*p) >= 0; p++, digits++)
		*n = *n << 4 | (uint64_t)hex_digit(*p);
	return digits >= 1 && digits <= max_digits && (*p == '.' || *p == '\0') ? p : NULL;
}

static int
read_text(const char *p, struct itemdb_key *k)
{
	size_t n = strlen(p);

	if (n == 0 || n % 2 != 0 || n / 2 > ITEMDB_KEY_MAX || strspn(p, "0123456789abcdef") != n)
		return -1;
	for (size_t i = 0; i < n / 2; i++)
		k->text[i] = (char)(hex_digit(p[2 * i]) << 4 | hex_digit(p[2 * i + 1]));
	k->text_len = (uint8_t)(n / 2);
	return 0;
}

int
itemdb_key_read(const char *text, const struct itemdb_order *o, struct itemdb_key *k)
{
	char head[64];
	int n = snprintf(head, sizeof(head), "%s.%c.", itemdb_column_name(o->column), o->descending ? 'd' : 'a');
	uint64_t absent, id;
	const char *p = text + n;

	memset(k, 0, sizeof(*k));
	if (strncmp(text, head, (size_t)n) != 0 || (p = read_hex(p, 1, &absent)) == NULL || *p != '.' || absent > 1 ||
	    (p = read_hex(p + 1, 16, &k->number)) == NULL || *p != '.' || (p = read_hex(p + 1, 8, &id)) == NULL)
		return -1;
	k->absent = (uint8_t)absent;
	k->item_id = (int32_t)(uint32_t)id;
	return *p == '.' ? read_text(p + 1, k) : 0;
}
