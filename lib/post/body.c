/* Bodies that Discord takes: valid UTF-8, within its lengths, nobody pinged. */
#include <string.h>

#include "clock/clock.h"
#include "post/internal.h"
#include "post/post.h"

#define CONTENT_MAX 2000
#define TITLE_MAX 256
#define DESCRIPTION_MAX 4096
#define FOOTER_MAX 2048
#define AUTHOR_MAX 256
#define FIELDS_MAX 25
#define FIELD_NAME_MAX 256
#define FIELD_VALUE_MAX 1024
#define EMBED_MAX 6000

/* Bytes of the sequence at s, or 0: not UTF-8 (overlong and surrogates included). */
static size_t
sequence(const unsigned char *s, size_t len)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;

	if (n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

/* Bytes to skip of what is no sequence: one character is shown for a cut one, not one for each of its bytes. */
static size_t
broken(const unsigned char *s, size_t len)
{
	size_t n = 1, most = s[0] >= 0xf0 && s[0] < 0xf5 ? 3 : s[0] >= 0xe0 && s[0] < 0xf0 ? 2 : 1;

	if ((s[0] == 0xe0 && len > 1 && s[1] < 0xa0) || (s[0] == 0xed && len > 1 && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && len > 1 && s[1] < 0x90) || (s[0] == 0xf4 && len > 1 && s[1] > 0x8f))
		return 1;
	while (n < most && n < len && (s[n] & 0xc0) == 0x80)
		n++;
	return n;
}

static int
is_dropped(const unsigned char *s, size_t n)
{
	return (n == 1 && ((s[0] < 0x20 && s[0] != '\n' && s[0] != '\t') || s[0] == 0x7f)) || (n == 2 && s[0] == 0xc2 && s[1] < 0xa0);
}

/* What Discord takes off both ends. */
static int
is_blank(const unsigned char *s, size_t n)
{
	return (n == 1 && (s[0] == ' ' || s[0] == '\n' || s[0] == '\t')) || (n == 2 && memcmp(s, "\xc2\xa0", 2) == 0) ||
	    (n == 3 && s[0] == 0xe2 && s[1] == 0x80 && (s[2] <= 0x8f || s[2] == 0xa8 || s[2] == 0xa9 || s[2] == 0xaf)) ||
	    (n == 3 && (memcmp(s, "\xe3\x80\x80", 3) == 0 || memcmp(s, "\xef\xbb\xbf", 3) == 0));
}

/* Drops what a cut left: blanks, and a backslash that would take the dots' place. */
static void
tidy_end(struct buf *out, size_t from)
{
	size_t slashes = 0;

	while (out->len > from && (out->p[out->len - 1] == ' ' || out->p[out->len - 1] == '\n'))
		out->len--;
	while (out->len - slashes > from && out->p[out->len - 1 - slashes] == '\\')
		slashes++;
	out->len -= slashes & 1;
}

size_t
post_cut(struct buf *out, const char *text, size_t len, size_t max)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t start = out->len, count = 0, mark = out->len, n;
	int solid = 0;

	for (size_t i = 0; i < len; i += n) {
		int good = (n = sequence(s + i, len - i)) > 0;
		if (!good)
			n = broken(s + i, len - i);
		else if (is_dropped(s + i, n) || (!solid && is_blank(s + i, n)))
			continue;
		if (count == max) {              /* one too many: the last one makes room for the dots */
			out->len = mark;
			tidy_end(out, start);
			return buf_appends(out, "…") == -1 ? POST_NO_ROOM : post_count(out->p + start, out->len - start);
		}
		solid |= !good || !is_blank(s + i, n);
		mark = ++count == max ? out->len : mark;
		if ((good ? buf_append(out, s + i, n) : buf_appends(out, "\xef\xbf\xbd")) == -1)
			return POST_NO_ROOM;
	}
	return count;
}

size_t
post_count(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

/* Appends ,"name":"text" of at most max code points, and no more than *left; when there is nothing to say, the fallback, or with none nothing. */
static int
put(struct buf *out, const char *name, struct post_str s, size_t max, size_t *left, const char *fallback)
{
	struct buf text = BUF_INIT(1u << 16);
	size_t n = *left == 0 ? 0 : post_cut(&text, s.p, s.len, max < *left ? max : *left);
	int failed;

	if (n == 0 && fallback != NULL && *left > 0)
		n = post_cut(&text, fallback, strlen(fallback), 1);
	failed = n == POST_NO_ROOM;
	if (!failed && n > 0) {
		failed = buf_printf(out, "%s\"%s\":", out->p[out->len - 1] == '{' ? "" : ",", name) == -1 || buf_append_json(out, buf_data(&text), buf_size(&text)) == -1;
		*left -= n;
	}
	buf_fini(&text);
	return failed ? -1 : 0;
}

int
post_text(struct buf *out, const char *text, size_t len)
{
	size_t left = CONTENT_MAX;

	if (buf_appends(out, POST_NO_PINGS) == -1 || put(out, "content", (struct post_str){ text, len }, CONTENT_MAX, &left, "-") == -1)
		return -1;
	return buf_appends(out, "}");
}

static int
put_within(struct buf *out, const char *object, const char *name, struct post_str s, size_t max, size_t *left)
{
	if (s.len == 0 || *left == 0)
		return 0;
	return buf_printf(out, "%s\"%s\":{", out->p[out->len - 1] == '{' ? "" : ",", object) == -1 || put(out, name, s, max, left, "-") == -1 ? -1 : buf_appends(out, "}");
}

static int
put_fields(struct buf *out, const struct post_embed *e, size_t *left)
{
	size_t n = e->n_fields > FIELDS_MAX ? FIELDS_MAX : e->n_fields;

	if (n == 0 || *left < 2)
		return 0;
	if (buf_printf(out, "%s\"fields\":[", out->p[out->len - 1] == '{' ? "" : ",") == -1)
		return -1;
	for (size_t i = 0; i < n && *left > 1; i++) {
		size_t for_name = *left - 1, before = for_name;
		if (buf_appends(out, i > 0 ? ",{" : "{") == -1 || put(out, "name", e->fields[i].name, FIELD_NAME_MAX, &for_name, "-") == -1)
			return -1;
		*left -= before - for_name;
		if (put(out, "value", e->fields[i].value, FIELD_VALUE_MAX, left, "-") == -1 ||
		    buf_appends(out, e->fields[i].is_inline ? ",\"inline\":true}" : "}") == -1)
			return -1;
	}
	return buf_appends(out, "]");
}

int
post_embed(struct buf *out, struct post_str content, const struct post_embed *e)
{
	size_t left = EMBED_MAX, for_content = CONTENT_MAX;
	char at[CLOCK_ISO_SIZE];

	if (buf_appends(out, POST_NO_PINGS) == -1 || (content.len > 0 && put(out, "content", content, CONTENT_MAX, &for_content, NULL) == -1) ||
	    buf_appends(out, ",\"embeds\":[{") == -1)
		return -1;
	if (put(out, "title", e->title, TITLE_MAX, &left, NULL) == -1 ||
	    put(out, "description", e->description, DESCRIPTION_MAX, &left, e->title.len > 0 || e->n_fields > 0 ? NULL : "-") == -1 ||
	    put_within(out, "author", "name", e->author, AUTHOR_MAX, &left) == -1 || put_within(out, "footer", "text", e->footer, FOOTER_MAX, &left) == -1 ||
	    put_fields(out, e, &left) == -1)
		return -1;
	if (left == EMBED_MAX && put(out, "description", POST_STR("-"), 1, &left, NULL) == -1)
		return -1;
	if (e->color >= 0 && buf_printf(out, ",\"color\":%d", e->color & 0xffffff) == -1)
		return -1;
	if (e->at_us > 0) {
		(void)clock_format_iso(e->at_us, at);
		if (buf_printf(out, ",\"timestamp\":\"%s\"", at) == -1)
			return -1;
	}
	return buf_appends(out, "}]}");
}

int
post_escape(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((strchr("\\*_~`|<>#[]():-", text[i]) != NULL && text[i] != '\0' && buf_appends(out, "\\") == -1) || buf_append(out, text + i, 1) == -1)
			return -1;
	return 0;
}
