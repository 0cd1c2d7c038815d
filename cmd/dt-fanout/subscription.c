#include "subscription.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "json/json.h"
#include "mem/mem.h"

#define WORDS_MAX 256
#define JQ_MAX (64u << 10)

void
subscription_init(struct subscription *s)
{
	*s = (struct subscription){ .name = "without a name", .from = { .kind = JOURNAL_FROM_END }, .to_seq = UINT64_MAX, .to_us = NO_TO_US };
}

void
subscription_fini(struct subscription *s)
{
	bus_match_free(&s->match);
	free(s->jq);
	s->jq = NULL;
}

/* A whole number that JSON's doubles hold, or digits in a string. */
static int
number_at(const struct json *j, const char *path, uint64_t *n)
{
	const char *text = json_str(j, path, NULL);
	double d = json_num(j, path, -1);
	char *end;

	if (text == NULL) {
		*n = d >= 0 && d <= 9007199254740992.0 ? (uint64_t)d : 0;
		return json_kind(j, path) == 'n' && d >= 0 && (double)*n == d;
	}
	if (text[0] < '0' || text[0] > '9')
		return 0;
	errno = 0;
	*n = strtoull(text, &end, 10);
	return *end == '\0' && errno == 0;
}

static int
time_at(const struct json *j, const char *path, int64_t *us)
{
	const char *text = json_str(j, path, NULL);

	return text != NULL && clock_parse_iso(text, strlen(text), us) == 0;
}

static const char *
parse_from(struct subscription *s, const struct json *j)
{
	static const char path[] = "subscribe.from";
	int kind = json_kind(j, path);

	if (kind == 0 || kind == '0')
		return NULL;
	if (strcmp(json_str(j, path, ""), "earliest") == 0)
		s->from.kind = JOURNAL_FROM_EARLIEST;
	else if (number_at(j, path, &s->from.seq))
		s->from.kind = JOURNAL_FROM_SEQ;
	else if (time_at(j, path, &s->from.rx_us))
		s->from.kind = JOURNAL_FROM_TIME;
	else
		return "from is neither a sequence number nor an ISO time nor \"earliest\"";
	return NULL;
}

static const char *
parse_to(struct subscription *s, const struct json *j)
{
	static const char path[] = "subscribe.to";
	int kind = json_kind(j, path);

	if (kind == 0 || kind == '0' || number_at(j, path, &s->to_seq) || time_at(j, path, &s->to_us))
		return NULL;
	return "to is neither a sequence number nor an ISO time";
}

static int
bad_words(const struct json *j, const char *path)
{
	int kind = json_kind(j, path);

	if (kind == 0 || kind == '0')
		return 0;
	return kind != 'a' || json_len(j, path) > WORDS_MAX || json_strings(j, path) == NULL;
}

static const char *
parse(struct subscription *s, const struct json *j)
{
	int kind = json_kind(j, "subscribe.jq");
	const char *error;

	if (json_kind(j, "subscribe") != 'o')
		return "the first line is no subscription; it is {\"subscribe\":{...}}";
	if (json_kind(j, "subscribe.name") == 's')
		(void)snprintf(s->name, sizeof s->name, "%s", json_str(j, "subscribe.name", ""));
	if (bad_words(j, "subscribe.types"))
		return "types is not a list of at most 256 strings";
	if (bad_words(j, "subscribe.characters"))
		return "characters is not a list of at most 256 strings";
	if ((kind != 0 && kind != '0' && kind != 's') || strlen(json_str(j, "subscribe.jq", "")) > JQ_MAX)
		return "jq is not a program of at most 64 KiB";
	if ((error = parse_from(s, j)) != NULL || (error = parse_to(s, j)) != NULL)
		return error;
	s->match = bus_match_new(json_strings(j, "subscribe.types"), json_strings(j, "subscribe.characters"));
	if (kind == 's')
		s->jq = xstrdup(json_str(j, "subscribe.jq", ""));
	return NULL;
}

const char *
subscription_parse(struct subscription *s, const char *line, size_t len)
{
	const char *error;
	struct json *j = json_parse(line, len, &error);

	if (j == NULL)
		return "the first line is not JSON; a subscription is {\"subscribe\":{...}}";
	error = parse(s, j);
	json_free(&j);
	return error;
}
