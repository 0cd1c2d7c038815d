#include "rowtext.h"

#include <stdlib.h>
#include <string.h>

#include "mem/mem.h"

void
rowtext_init(struct rowtext *t, const char *kinds, int csv)
{
	*t = (struct rowtext){ .kinds = kinds, .csv = csv };
}

void
rowtext_fini(struct rowtext *t)
{
	while (t->n > 0)
		free(t->key[--t->n]);
}

int
rowtext_cursor(const struct rowtext *t)
{
	const char *c = strchr(t->kinds, 'c');

	return c != NULL ? (int)(c - t->kinds) : -1;
}

static void
learn_names(struct rowtext *t, const struct pg_row *row)
{
	int i, n = pg_columns(row);

	for (i = 0; i < n && i < ROWTEXT_COLUMNS; i++) {
		t->key[i] = xasprintf("%s\"%s\":", i > 0 ? "," : "", pg_column_name(row, i));
		t->key_len[i] = strlen(t->key[i]);
	}
	t->n = i;
}

/* "2026-11-22 13:02:03.1234+00" as "2026-11-22T13:02:03.123Z" into out; its length, or 0 when it is no such time (infinity, BC). */
static size_t
iso_time(const char *text, size_t len, char out[24])
{
	size_t at, digits = 0;

	if (len < 22 || text[4] != '-' || text[10] != ' ' || memcmp(text + len - 3, "+00", 3) != 0)
		return 0;
	memcpy(out, text, 19);
	out[10] = 'T';
	memcpy(out + 19, ".000Z", 5);
	if (text[19] == '.')
		for (at = 20; at < len - 3 && digits < 3; at++)
			out[20 + digits++] = text[at];
	return 24;
}

static void
put_json(struct rowtext *t, int i, const struct pg_row *row, struct buf *out)
{
	char iso[24];
	size_t len;
	const char *text = pg_text(row, i, &len);

	switch (pg_null(row, i) ? '0' : t->kinds[i]) {
	case 'n':                        /* NaN and Infinity are no JSON */
		if (len > 0 && (text[len - 1] < '0' || text[len - 1] > '9'))
			break;
		(void)buf_append(out, text, len);
		return;
	case 'b':
		(void)buf_appends(out, text[0] == 't' ? "true" : "false");
		return;
	case 'j':
		(void)buf_append(out, text, len);
		return;
	case 'z':
		if ((len = iso_time(text, len, iso)) == 0)
			break;
		(void)buf_append(out, "\"", 1);
		(void)buf_append(out, iso, len);
		(void)buf_append(out, "\"", 1);
		return;
	case 't':
		(void)buf_append_json(out, text, len);
		return;
	default:
		break;
	}
	(void)buf_append(out, "null", 4);
}

static int
has_any(const char *text, size_t len, const char *chars)
{
	for (; *chars != '\0'; chars++)
		if (memchr(text, *chars, len) != NULL)
			return 1;
	return 0;
}

void
rowtext_put_csv(struct buf *out, const char *text, size_t len)
{
	const char *apostrophe = len > 0 && has_any(text, 1, "=+-@\t\r\n") ? "'" : "";

	if (!has_any(text, len, "\",\r\n")) {
		(void)buf_appends(out, apostrophe);
		(void)buf_append(out, text, len);
		return;
	}
	(void)buf_printf(out, "\"%s", apostrophe);
	for (; len > 0; text++, len--)
		(void)buf_append(out, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
	(void)buf_append(out, "\"", 1);
}

static void
put_csv_names(const struct rowtext *t, const struct pg_row *row, struct buf *out)
{
	int i;

	for (i = 0; i < t->n; i++)
		if (t->kinds[i] != 'c')
			(void)buf_printf(out, "%s%s", i > 0 ? "," : "", pg_column_name(row, i));
	(void)buf_append(out, "\r\n", 2);
}

static void
put_csv_row(const struct rowtext *t, const struct pg_row *row, struct buf *out)
{
	char iso[24];
	size_t len, n;
	int i;

	for (i = 0; i < t->n; i++) {
		const char *text = pg_text(row, i, &len);

		if (t->kinds[i] == 'c')
			continue;
		if (i > 0)
			(void)buf_append(out, ",", 1);
		if (t->kinds[i] == 'z' && (n = iso_time(text, len, iso)) > 0)
			(void)buf_append(out, iso, n);
		else if (t->kinds[i] == 'b' && len > 0)
			(void)buf_appends(out, text[0] == 't' ? "true" : "false");
		else if (t->kinds[i] == 'n')
			(void)buf_append(out, text, len);
		else
			rowtext_put_csv(out, text, len);
	}
	(void)buf_append(out, "\r\n", 2);
}

void
rowtext_put(struct rowtext *t, const struct pg_row *row, int first, struct buf *out)
{
	int i;

	if (t->n == 0)
		learn_names(t, row);
	if (t->csv) {
		if (first)
			put_csv_names(t, row, out);
		put_csv_row(t, row, out);
		return;
	}
	(void)buf_append(out, first ? "{" : ",{", first ? 1 : 2);
	for (i = 0; i < t->n; i++) {
		if (t->kinds[i] == 'c')
			continue;
		(void)buf_append(out, t->key[i], t->key_len[i]);
		put_json(t, i, row, out);
	}
	(void)buf_append(out, "}", 1);
}
