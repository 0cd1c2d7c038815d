#include "fetch.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <curl/curl.h>

#include "buf/buf.h"
#include "clock/clock.h"
#include "log/log.h"
#include "mem/mem.h"
#include "opt/opt.h"

struct sock {                    /* a socket of curl's */
	struct pollable pollable;
	struct fetch *fetch;
	struct sock *next;
};

struct fetch {
	struct pollable timer;           /* first: on_timer finds the fetch by it */
	struct loop *loop;
	long timeout_ms;
	fetch_f *f;
	void *priv;
	CURLM *multi;
	CURL *easy;                      /* NULL: nothing under way */
	struct buf body;
	struct sock *socks;
};

/* ---- the end of a request ---- */

static void
end(struct fetch *h)
{
	(void)curl_multi_remove_handle(h->multi, h->easy);
	curl_easy_cleanup(h->easy);
	h->easy = NULL;
}

static void
collect(struct fetch *h)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(h->multi, &left)) != NULL) {
		CURLcode code = msg->data.result;
		long status = 0;
		char why[96];

		if (msg->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
		end(h);
		if (code != CURLE_OK)
			(void)snprintf(why, sizeof(why), "%s", curl_easy_strerror(code));
		else
			(void)snprintf(why, sizeof(why), "status %ld", status);
		if (code == CURLE_OK && status == 200)
			h->f(h->priv, buf_size(&h->body) > 0 ? buf_data(&h->body) : "", buf_size(&h->body), "");
		else
			h->f(h->priv, NULL, 0, why);
		buf_fini(&h->body);
	}
}

/* ---- curl's sockets and its timer on the loop ---- */

static void
act(struct fetch *h, curl_socket_t fd, int what)
{
	int running;

	(void)curl_multi_socket_action(h->multi, fd, what, &running);
	collect(h);
}

static void
on_sock(struct pollable *p, short revents, int64_t now_ms)
{
	int what = (revents & POLLIN ? CURL_CSELECT_IN : 0) | (revents & POLLOUT ? CURL_CSELECT_OUT : 0) |
	    (revents & (POLLERR | POLLHUP | POLLNVAL) ? CURL_CSELECT_ERR | CURL_CSELECT_IN : 0);

	(void)now_ms;
	act(((struct sock *)p)->fetch, p->fd, what);
}

static void
on_timer(struct pollable *p, short revents, int64_t now_ms)
{
	(void)revents, (void)now_ms;
	p->deadline_ms = CLOCK_NEVER;
	act((struct fetch *)p, CURL_SOCKET_TIMEOUT, 0);
}

static int
set_timer(CURLM *multi, long timeout_ms, void *priv)
{
	struct fetch *h = priv;

	(void)multi;
	h->timer.deadline_ms = timeout_ms < 0 ? CLOCK_NEVER : clock_mono_ms() + timeout_ms;
	return 0;
}

static void
drop_sock(struct fetch *h, struct sock *s)
{
	struct sock **at = &h->socks;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	loop_del(h->loop, &s->pollable);
	free(s);
}

static int
set_sock(CURL *easy, curl_socket_t fd, int what, void *priv, void *sock_priv)
{
	struct fetch *h = priv;
	struct sock *s = sock_priv;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (s != NULL)
			drop_sock(h, s);
		return 0;
	}
	if (s == NULL) {
		s = xcalloc(1, sizeof(*s));
		*s = (struct sock){ .pollable = { .fd = fd, .deadline_ms = CLOCK_NEVER, .handle = on_sock }, .fetch = h, .next = h->socks };
		h->socks = s;
		loop_add(h->loop, &s->pollable);
		(void)curl_multi_assign(h->multi, fd, s);
	}
	s->pollable.events = (short)((what & CURL_POLL_IN ? POLLIN : 0) | (what & CURL_POLL_OUT ? POLLOUT : 0));
	return 0;
}

/* ---- requests ---- */

static size_t
on_body(char *data, size_t size, size_t n, void *priv)
{
	return buf_append(&((struct fetch *)priv)->body, data, size * n) == 0 ? size * n : 0;
}

void
fetch_start(struct fetch *h, const char *url)
{
	char *agent = xasprintf("dt-health/%s", build_version);

	if ((h->easy = curl_easy_init()) == NULL)
		die(EX_OSERR, "unable to start a request");
	(void)curl_easy_setopt(h->easy, CURLOPT_URL, url);
	(void)curl_easy_setopt(h->easy, CURLOPT_USERAGENT, agent);
	(void)curl_easy_setopt(h->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(h->easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(h->easy, CURLOPT_FOLLOWLOCATION, 1L);
	(void)curl_easy_setopt(h->easy, CURLOPT_MAXREDIRS, 3L);
	(void)curl_easy_setopt(h->easy, CURLOPT_ACCEPT_ENCODING, "");
	(void)curl_easy_setopt(h->easy, CURLOPT_TIMEOUT_MS, h->timeout_ms);
	(void)curl_easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, h);
	free(agent);
	if (curl_multi_add_handle(h->multi, h->easy) != CURLM_OK)
		die(EX_OSERR, "unable to start a request");
}

int
fetch_busy(const struct fetch *h)
{
	return h->easy != NULL;
}

struct fetch *
fetch_new(struct loop *loop, long timeout_ms, size_t max_bytes, fetch_f *f, void *priv)
{
	struct fetch *h = xcalloc(1, sizeof(*h));

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (h->multi = curl_multi_init()) == NULL)
		die(EX_OSERR, "unable to start libcurl");
	h->loop = loop;
	h->timeout_ms = timeout_ms;
	h->f = f;
	h->priv = priv;
	buf_init(&h->body, max_bytes);
	h->timer = (struct pollable){ .fd = -1, .deadline_ms = CLOCK_NEVER, .handle = on_timer };
	(void)curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, set_sock);
	(void)curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	(void)curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	(void)curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	loop_add(loop, &h->timer);
	return h;
}

void
fetch_free(struct fetch **hp)
{
	struct fetch *h = *hp;

	if (h->easy != NULL)
		end(h);
	(void)curl_multi_cleanup(h->multi);
	while (h->socks != NULL)
		drop_sock(h, h->socks);
	loop_del(h->loop, &h->timer);
	buf_fini(&h->body);
	free(h);
	curl_global_cleanup();
	*hp = NULL;
}
