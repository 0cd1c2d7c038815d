/* One request after another to whatever answers HTTP, with libcurl's multi interface on our loop. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <curl/curl.h>

#include "clock/clock.h"
#include "json/json.h"
#include "log/log.h"
#include "mem/mem.h"
#include "opt/opt.h"
#include "post/internal.h"

#define ANSWER_MAX (64u << 10)   /* kept of an answer */
#define ANSWER_END (1u << 20)    /* read of it */

struct sock {                    /* a socket of curl's */
	struct pollable pollable;
	struct post_http *http;
	struct sock *next;
};

struct post_http {
	struct post_http_config config;
	char *proxy, *ca_file;
	CURLM *multi;
	struct pollable timer;
	struct sock *socks;
	struct post_request *requests;
};

struct post_request {
	CURL *easy;
	struct curl_slist *headers;
	char *body;
	struct buf answer;
	size_t answered;
	struct post_limits limits;
	const char **secrets;
	post_result_f *f;
	void *priv;
	struct post_request *next;
};

/* ---- what came of it ---- */

static void
words_of(const struct post_request *r, struct post_result *result)
{
	const char *why, *said = NULL;
	struct json *j = json_parse(buf_data((struct buf *)&r->answer), buf_size(&r->answer), &why);

	/* Discord's message is short, its "errors" say which part of the body is meant */
	if (j != NULL && json_kind(j, "errors") != 'o')
		said = json_str(j, "message", NULL);
	if (said != NULL)
		post_words(said, strlen(said), r->secrets, result->words);
	else
		post_words(r->answer.p ? r->answer.p + r->answer.off : "", buf_size(&r->answer), r->secrets, result->words);
	json_free(&j);
}

static void
judge_status(const struct post_request *r, long status, struct post_result *result)
{
	result->status = (int)status;
	result->outcome = POST_AGAIN;
	result->cause = "status";
	if (status >= 200 && status < 300) {
		result->outcome = POST_DONE;
		return;
	}
	words_of(r, result);
	if (status == 429 || (status == 503 && post_limits_wait(&r->limits, 0) >= 0)) {
		result->outcome = POST_LIMITED;
		result->cause = status == 429 ? "429" : "5xx";
		post_limits_body(&result->limits, r->answer.p ? r->answer.p + r->answer.off : "", buf_size(&r->answer));
	} else if (status == 401 || status == 403 || status == 404 || status == 410 || (status >= 300 && status < 400))
		result->outcome = POST_SHUT;
	else if (status >= 400 && status < 500 && status != 408 && status != 425)
		result->outcome = POST_REFUSED;
	else
		result->cause = status >= 500 ? "5xx" : "status";
}

static const char *
cause_of(CURLcode code)
{
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT: return "timeout";
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY: return "dns";
	case CURLE_COULDNT_CONNECT: return "connect";
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_PEER_FAILED_VERIFICATION: return "tls";
	default: return "answer";
	}
}

/* A status is enough, even if the rest of the answer never came. */
static void
judge(const struct post_request *r, CURLcode code, struct post_result *result)
{
	long status = 0;

	*result = (struct post_result){ .limits = r->limits };
	(void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200) {
		judge_status(r, status, result);
		return;
	}
	result->outcome = POST_AGAIN;
	result->cause = code == CURLE_OK ? "answer" : cause_of(code);
	(void)snprintf(result->words, sizeof result->words, "%s", code == CURLE_OK ? "no answer" : curl_easy_strerror(code));
}

static void
request_free(struct post_http *h, struct post_request *r)
{
	struct post_request **at = &h->requests;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	(void)curl_multi_remove_handle(h->multi, r->easy);
	curl_easy_cleanup(r->easy);
	curl_slist_free_all(r->headers);
	for (const char **secret = r->secrets; *secret != NULL; secret++)
		free((char *)(uintptr_t)*secret);
	free(r->secrets);
	free(r->body);
	buf_fini(&r->answer);
	free(r);
}

static void
collect(struct post_http *h)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(h->multi, &left)) != NULL) {
		struct post_request *r;
		struct post_result result;
		post_result_f *f;
		void *priv;
		if (msg->msg != CURLMSG_DONE || curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &r) != CURLE_OK)
			continue;
		judge(r, msg->data.result, &result);
		f = r->f;
		priv = r->priv;
		request_free(h, r);
		f(priv, &result);
	}
}

/* ---- curl's sockets and its timer on the loop ---- */

static void
act(struct post_http *h, curl_socket_t fd, int what)
{
	int running;
	CURLMcode code = curl_multi_socket_action(h->multi, fd, what, &running);

	if (code != CURLM_OK)
		log_debug("curl: %s", curl_multi_strerror(code));
	collect(h);
}

static void
on_sock(struct pollable *p, short revents, int64_t now_ms)
{
	struct sock *s = (struct sock *)p;
	int what = (revents & POLLIN ? CURL_CSELECT_IN : 0) | (revents & POLLOUT ? CURL_CSELECT_OUT : 0) |
	    (revents & (POLLERR | POLLHUP | POLLNVAL) ? CURL_CSELECT_ERR | CURL_CSELECT_IN : 0);

	(void)now_ms;
	act(s->http, p->fd, what);
}

static void
on_timer(struct pollable *p, short revents, int64_t now_ms)
{
	struct post_http *h = (struct post_http *)((char *)p - offsetof(struct post_http, timer));

	(void)revents;
	(void)now_ms;
	p->deadline_ms = CLOCK_NEVER;
	act(h, CURL_SOCKET_TIMEOUT, 0);
}

static int
set_timer(CURLM *multi, long timeout_ms, void *priv)
{
	struct post_http *h = priv;

	(void)multi;
	h->timer.deadline_ms = timeout_ms < 0 ? CLOCK_NEVER : clock_mono_ms() + timeout_ms;
	return 0;
}

static void
drop_sock(struct post_http *h, struct sock *s)
{
	struct sock **at = &h->socks;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	loop_del(h->config.loop, &s->pollable);
	free(s);
}

static int
set_sock(CURL *easy, curl_socket_t fd, int what, void *priv, void *sock_priv)
{
	struct post_http *h = priv;
	struct sock *s = sock_priv;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (s != NULL)
			drop_sock(h, s);
		return 0;
	}
	if (s == NULL) {
		s = xcalloc(1, sizeof *s);
		*s = (struct sock){ .pollable = { .fd = fd, .deadline_ms = CLOCK_NEVER, .handle = on_sock }, .http = h, .next = h->socks };
		h->socks = s;
		loop_add(h->config.loop, &s->pollable);
		(void)curl_multi_assign(h->multi, fd, s);
	}
	s->pollable.events = (short)((what & CURL_POLL_IN ? POLLIN : 0) | (what & CURL_POLL_OUT ? POLLOUT : 0));
	return 0;
}

struct post_http *
post_http_new(const struct post_http_config *config)
{
	struct post_http *h = xcalloc(1, sizeof *h);

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (h->multi = curl_multi_init()) == NULL)
		die(EX_OSERR, "unable to start libcurl");
	h->config = *config;
	h->proxy = xstrdup(config->proxy != NULL ? config->proxy : "");
	h->ca_file = xstrdup(config->ca_file != NULL ? config->ca_file : "");
	h->timer = (struct pollable){ .fd = -1, .deadline_ms = CLOCK_NEVER, .handle = on_timer };
	(void)curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, set_sock);
	(void)curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	(void)curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	(void)curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	(void)curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, 16L);
	loop_add(config->loop, &h->timer);
	return h;
}

void
post_http_free(struct post_http **hp)
{
	struct post_http *h = *hp;

	if (h == NULL)
		return;
	while (h->requests != NULL)
		request_free(h, h->requests);
	(void)curl_multi_cleanup(h->multi);
	while (h->socks != NULL)
		drop_sock(h, h->socks);
	loop_del(h->config.loop, &h->timer);
	free(h->proxy);
	free(h->ca_file);
	free(h);
	curl_global_cleanup();
	*hp = NULL;
}

/* ---- a request ---- */

static size_t
on_header(char *line, size_t one, size_t len, void *priv)
{
	struct post_request *r = priv;

	(void)one;
	post_limits_header(&r->limits, line, len);
	return len;
}

static size_t
on_body(char *data, size_t one, size_t len, void *priv)
{
	struct post_request *r = priv;
	size_t room = ANSWER_MAX - buf_size(&r->answer);

	(void)one;
	(void)buf_append(&r->answer, data, len < room ? len : room);
	return (r->answered += len) > ANSWER_END ? 0 : len;
}

static void
set_up(struct post_http *h, struct post_request *r, const char *url, size_t len)
{
	CURL *e = r->easy;

	(void)curl_easy_setopt(e, CURLOPT_URL, url);
	(void)curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(e, CURLOPT_PROXY, h->proxy);      /* "": none, whatever the environment says */
	if (h->ca_file[0] != '\0')
		(void)curl_easy_setopt(e, CURLOPT_CAINFO, h->ca_file);
	(void)curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	(void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)h->config.connect_ms);
	(void)curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)h->config.total_ms);
	(void)curl_easy_setopt(e, CURLOPT_POST, 1L);
	(void)curl_easy_setopt(e, CURLOPT_POSTFIELDS, r->body);
	(void)curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, (long)len);
	(void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, r->headers);
	(void)curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(e, CURLOPT_HEADERDATA, r);
	(void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(e, CURLOPT_WRITEDATA, r);
	(void)curl_easy_setopt(e, CURLOPT_PRIVATE, r);
}

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
	struct post_request *r = xcalloc(1, sizeof *r);
	char agent[160];

	*r = (struct post_request){ .answer = BUF_INIT(ANSWER_MAX), .secrets = dup_all(secrets), .f = f, .priv = priv, .next = h->requests };
	h->requests = r;
	r->body = xmalloc(len + 1);
	memcpy(r->body, body, len);
	r->body[len] = '\0';
	post_limits_init(&r->limits);
	(void)snprintf(agent, sizeof agent, discord ? "User-Agent: DiscordBot (https://localhost/dt-alertd, %s)" : "User-Agent: dt-alertd/%s", build_version);
	r->headers = curl_slist_append(r->headers, agent);
	r->headers = curl_slist_append(r->headers, "Content-Type: application/json");
	r->headers = curl_slist_append(r->headers, "Accept: application/json");
	r->headers = curl_slist_append(r->headers, "Expect:");
	for (; *headers != NULL; headers++)
		r->headers = curl_slist_append(r->headers, *headers);
	if ((r->easy = curl_easy_init()) == NULL)
		die(EX_OSERR, "libcurl: out of memory");
	set_up(h, r, url, len);
	if (curl_multi_add_handle(h->multi, r->easy) != CURLM_OK)
		die(EX_SOFTWARE, "libcurl takes no request");
}
