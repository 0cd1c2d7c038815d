/* The doors' side: who shows wrong secrets is refused, later told to wait, and mentioned in the log twice a minute at the most. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "http/http.h"
#include "log/log.h"
#include "mem/mem.h"
#include "secret/secret.h"
#include "tally/tally.h"

#define ADDRESSES 2048
#define MINUTE_MS 60000

struct secret {
	char *text;
	struct tally *wrong;
};

struct secret *
secret_new(const char *text)
{
	struct secret *s = xcalloc(1, sizeof(*s));

	s->text = xstrdup(text);
	s->wrong = tally_new(ADDRESSES, MINUTE_MS);
	return s;
}

void
secret_free(struct secret **sp)
{
	struct secret *s = *sp;

	if (s == NULL)
		return;
	free(s->text);
	tally_free(&s->wrong);
	free(s);
	*sp = NULL;
}

/* Of IPv6 the first half, which is one household's: the rest is as many addresses as somebody likes. */
static void
key_of(const char *address, char key[TALLY_KEY_SIZE])
{
	unsigned char a[16];

	if (inet_pton(AF_INET6, address, a) == 1)
		snprintf(key, TALLY_KEY_SIZE, "%02x%02x:%02x%02x:%02x%02x:%02x%02x", a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
	else
		snprintf(key, TALLY_KEY_SIZE, "%s", address);
}

static int
refuse_wrong(struct secret *s, struct http_req *r, const char *address)
{
	const char *who = address[0] != '\0' ? address : "the local socket";
	char key[TALLY_KEY_SIZE], wait[24];
	int64_t left_ms;
	unsigned n;

	key_of(address, key);
	n = tally_add(s->wrong, key, clock_mono_ms(), &left_ms);
	if (n == 1)
		log_warn("a plugin at %s was refused: wrong secret", who);
	if (n <= SECRET_TRIES) {
		http_reply_error(r, 403, "forbidden", "that is not the shared secret");
		return 403;
	}
	if (n == SECRET_TRIES + 1)
		log_warn("more than %d wrong secrets within a minute from %s: it is told to wait", SECRET_TRIES, who);
	snprintf(wait, sizeof(wait), "%jd", (intmax_t)(left_ms + 999) / 1000);
	http_reply_header(r, "retry-after", wait);
	http_reply_error(r, 429, "too_many_tries", "not the shared secret again; wait %s seconds", wait);
	return 429;
}

int
secret_admit(struct secret *s, struct http_req *r, const char *address)
{
	int status = secret_check(s->text, http_req_header(r, "x-plugin-secret"), http_req_query(r, "secret"));

	if (status == 403)
		return refuse_wrong(s, r, address);
	if (status != 0)
		http_reply_error(r, status, "unauthorized", "send the shared secret in the header X-Plugin-Secret or as ?secret=");
	return status;
}
