/* One try at whatever answers HTTP, and what its answer means. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/fetch.h"
#include "json/json.h"
#include "mem/mem.h"
#include "opt/opt.h"
#include "post/internal.h"

#define ANSWER_MAX (64u << 10)   /* kept of an answer */
#define ANSWER_END (1u << 20)    /* read of it */

struct try {
	struct post_limits limits;
	const char **secrets;
	post_result_f *f;
	void *priv;
	struct post_http *http;
	struct try *next;
};

struct post_http {
	struct fetch *fetch;
	struct try *tries;
};

/* ---- what came of it ---- */

static void
words_of(const struct try *t, const struct fetch_answer *a, struct post_result *result)
{
	const char *why, *said = NULL;
	struct json *j = json_parse(a->body, a->len, &why);

	/* Discord's message is short, its "errors" say which part of the body is meant */
	if (j != NULL && json_kind(j, "errors") != 'o')
		said = json_str(j, "message", NULL);
	if (said != NULL)
		post_words(said, strlen(said), t->secrets, result->words);
	else
		post_words(a->body, a->len, t->secrets, result->words);
	json_free(&j);
}

static void
judge_status(const struct try *t, const struct fetch_answer *a, struct post_result *result)
{
	int status = result->status = a->status;

	result->outcome = POST_AGAIN;
	result->cause = "status";
	if (status >= 200 && status < 300) {
		result->outcome = POST_DONE;
		return;
	}
	words_of(t, a, result);
	if (status == 429 || (status == 503 && post_limits_wait(&t->limits, 0) >= 0)) {
		result->outcome = POST_LIMITED;
		result->cause = status == 429 ? "429" : "5xx";
		post_limits_body(&result->limits, a->body, a->len);
	} else if (status == 401 || status == 403 || status == 404 || status == 410 || (status >= 300 && status < 400))
		result->outcome = POST_SHUT;
	else if (status >= 400 && status < 500 && status != 408 && status != 425)
		result->outcome = POST_REFUSED;
	else
		result->cause = status >= 500 ? "5xx" : "status";
}

static void
try_free(struct try *t)
{
	struct try **at = &t->http->tries;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	for (const char **secret = t->secrets; *secret != NULL; secret++)
		free((char *)(uintptr_t)*secret);
	free(t->secrets);
	free(t);
}

/* A status is enough, even if the rest of the answer never came. */
static void
on_answer(void *priv, const struct fetch_answer *a)
{
	struct try *t = priv;
	struct post_result result = { .limits = t->limits };
	post_result_f *f = t->f;
	void *for_whom = t->priv;

	if (a->status != 0) {
		judge_status(t, a, &result);
	} else {
		result.outcome = POST_AGAIN;
		result.cause = *a->cause ? a->cause : "answer";
		(void)snprintf(result.words, sizeof result.words, "%s", *a->cause ? a->words : "no answer");
	}
	try_free(t);
	f(for_whom, &result);
}

static void
on_header(void *priv, const char *line, size_t len)
{
	post_limits_header(&((struct try *)priv)->limits, line, len);
}

/* ---- a try ---- */

static const char **
dup_all(const char *const *strings)
{
	const char **copy;
	size_t n = 0;

	while (strings[n] != NULL)
		n++;
	copy = xcalloc(n + 1, sizeof *copy);
	for (size_t i = 0; i < n; i++)
		copy[i] = xstrdup(strings[i]);
	return copy;
}

void
post_http_post(struct post_http *h, const char *url, const char *const *headers, const char *body, size_t len, const char *const *secrets, int discord,
    post_result_f *f, void *priv)
{
	struct try *t = xcalloc(1, sizeof *t);
	const char *all[5] = { "Content-Type: application/json", "Accept: application/json" };
	char agent[160];
	struct fetch_request r = { .url = url, .agent = agent, .headers = all, .body = body, .len = len, .on_header = on_header, .on_answer = on_answer, .priv = t };

	*t = (struct try){ .secrets = dup_all(secrets), .f = f, .priv = priv, .http = h, .next = h->tries };
	h->tries = t;
	post_limits_init(&t->limits);
	(void)snprintf(agent, sizeof agent, discord ? "DiscordBot (https://localhost/dt-alertd, %s)" : "dt-alertd/%s", build_version);
	for (size_t i = 2; *headers != NULL && i < 4; i++)
		all[i] = *headers++;
	fetch_start(h->fetch, &r);
}

struct post_http *
post_http_new(const struct post_http_config *c)
{
	struct post_http *h = xcalloc(1, sizeof *h);
	struct fetch_config config = { .loop = c->loop, .proxy = c->proxy, .ca_file = c->ca_file, .connect_ms = c->connect_ms, .total_ms = c->total_ms,
		.keep_max = ANSWER_MAX, .read_max = ANSWER_END };

	h->fetch = fetch_new(&config);
	return h;
}

void
post_http_free(struct post_http **hp)
{
	struct post_http *h = *hp;

	if (h == NULL)
		return;
	fetch_free(&h->fetch);
	while (h->tries != NULL)
		try_free(h->tries);
	free(h);
	*hp = NULL;
}
