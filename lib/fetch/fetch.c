#include "fetch/fetch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <curl/curl.h>

#include "buf/buf.h"
#include "clock/clock.h"
#include "log/log.h"
#include "mem/mem.h"

#define NO_PROXY "localhost,127.0.0.0/8,::1"

struct sock {                    /* a socket of curl's */
	struct pollable pollable;
	struct fetch *fetch;
	struct sock *next;
};

struct request {
	CURL *easy;
	struct curl_slist *headers;
	struct fetch_request f;          /* body: ours; url, agent and headers: curl's copies */
	char *body;
	struct buf answer;
	size_t answered, read_max;
	struct request *next;
};

struct fetch {
	struct fetch_config config;
	char *proxy, *ca_file;
	CURLM *multi;
	struct pollable timer;
	struct sock *socks;
	struct request *requests;
};

/* ---- the end of a request ---- */

static const char *
cause_of(CURLcode code)
{
	switch (code) {
	case CURLE_OK: return "";
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

static void
request_free(struct fetch *h, struct request *r)
{
	struct request **at = &h->requests;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	(void)curl_multi_remove_handle(h->multi, r->easy);
	curl_easy_cleanup(r->easy);
	curl_slist_free_all(r->headers);
	free(r->body);
	buf_fini(&r->answer);
	free(r);
}

static void
finish(struct fetch *h, struct request *r, CURLcode code)
{
	struct buf kept = r->answer;
	struct fetch_request f = r->f;
	struct fetch_answer a = { .cause = cause_of(code), .words = curl_easy_strerror(code) };
	long status = 0;

	(void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	buf_init(&r->answer, 0);
	request_free(h, r);              /* what is called now may begin the next one */
	a.status = status >= 200 ? (int)status : 0;
	a.body = buf_size(&kept) > 0 ? buf_data(&kept) : "";
	a.len = buf_size(&kept);
	f.on_answer(f.priv, &a);
	buf_fini(&kept);
}

static void
collect(struct fetch *h)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(h->multi, &left)) != NULL) {
		struct request *r;
		if (msg->msg == CURLMSG_DONE && curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &r) == CURLE_OK)
			finish(h, r, msg->data.result);
	}
}

/* ---- curl's sockets and its timer on the loop ---- */

static void
act(struct fetch *h, curl_socket_t fd, int what)
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
	act(s->fetch, p->fd, what);
}

static void
on_timer(struct pollable *p, short revents, int64_t now_ms)
{
	struct fetch *h = (struct fetch *)((char *)p - offsetof(struct fetch, timer));

	(void)revents;
	(void)now_ms;
	p->deadline_ms = CLOCK_NEVER;
	act(h, CURL_SOCKET_TIMEOUT, 0);
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
	loop_del(h->config.loop, &s->pollable);
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
		s = xcalloc(1, sizeof *s);
		*s = (struct sock){ .pollable = { .fd = fd, .deadline_ms = CLOCK_NEVER, .handle = on_sock }, .fetch = h, .next = h->socks };
		h->socks = s;
		loop_add(h->config.loop, &s->pollable);
		(void)curl_multi_assign(h->multi, fd, s);
	}
	s->pollable.events = (short)((what & CURL_POLL_IN ? POLLIN : 0) | (what & CURL_POLL_OUT ? POLLOUT : 0));
	return 0;
}

/* ---- the whole ---- */

static void
check_config(const struct fetch *h)
{
	static const char *const schemes[] = { "http://", "https://", "socks4://", "socks4a://", "socks5://", "socks5h://" };
	int known = h->proxy[0] == '\0';

	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		known |= strncmp(h->proxy, schemes[i], strlen(schemes[i])) == 0 && h->proxy[strlen(schemes[i])] != '\0';
	if (!known)
		die(EX_CONFIG, "DT_HTTP_PROXY is no proxy's address: write http://host:port (or https, socks4, socks4a, socks5, socks5h)");
	if (h->ca_file[0] != '\0' && access(h->ca_file, R_OK) == -1)
		die(EX_CONFIG, "unable to read the certificates of DT_HTTP_CA, %s: %s", h->ca_file, strerror(errno));
}

struct fetch *
fetch_new(const struct fetch_config *config)
{
	struct fetch *h = xcalloc(1, sizeof *h);

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (h->multi = curl_multi_init()) == NULL)
		die(EX_OSERR, "unable to start libcurl");
	h->config = *config;
	h->proxy = xstrdup(config->proxy != NULL ? config->proxy : "");
	h->ca_file = xstrdup(config->ca_file != NULL ? config->ca_file : "");
	check_config(h);
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
fetch_free(struct fetch **hp)
{
	struct fetch *h = *hp;

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

size_t
fetch_count(const struct fetch *h)
{
	size_t n = 0;

	for (const struct request *r = h->requests; r != NULL; r = r->next)
		n++;
	return n;
}

/* ---- a request ---- */

static size_t
on_header(char *line, size_t one, size_t len, void *priv)
{
	struct request *r = priv;

	(void)one;
	r->f.on_header(r->f.priv, line, len);
	return len;
}

static size_t
on_body(char *data, size_t one, size_t len, void *priv)
{
	struct request *r = priv;
	size_t room = r->answer.max - buf_size(&r->answer);

	(void)one;
	(void)buf_append(&r->answer, data, len < room ? len : room);
	return (r->answered += len) > r->read_max ? 0 : len;
}

static void
set_way(struct fetch *h, CURL *e)
{
	(void)curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, h->config.redirects > 0 ? 1L : 0L);
	(void)curl_easy_setopt(e, CURLOPT_MAXREDIRS, (long)h->config.redirects);
	(void)curl_easy_setopt(e, CURLOPT_PROXY, h->proxy);      /* "": none, whatever the environment says */
	(void)curl_easy_setopt(e, CURLOPT_NOPROXY, NO_PROXY);
	if (h->ca_file[0] != '\0') {
		(void)curl_easy_setopt(e, CURLOPT_CAINFO, h->ca_file);
		(void)curl_easy_setopt(e, CURLOPT_PROXY_CAINFO, h->ca_file);
	}
	(void)curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	(void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)h->config.connect_ms);
	(void)curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)h->config.total_ms);
	(void)curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "");
}

static void
set_request(struct request *r)
{
	CURL *e = r->easy;

	(void)curl_easy_setopt(e, CURLOPT_URL, r->f.url);
	(void)curl_easy_setopt(e, CURLOPT_USERAGENT, r->f.agent);
	if (r->f.body != NULL) {
		(void)curl_easy_setopt(e, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDS, r->body);
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, (long)r->f.len);
	}
	(void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, r->headers);
	if (r->f.on_header != NULL) {
		(void)curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
		(void)curl_easy_setopt(e, CURLOPT_HEADERDATA, r);
	}
	(void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(e, CURLOPT_WRITEDATA, r);
	(void)curl_easy_setopt(e, CURLOPT_PRIVATE, r);
}

void
fetch_start(struct fetch *h, const struct fetch_request *f)
{
	struct request *r = xcalloc(1, sizeof *r);

	*r = (struct request){ .f = *f, .answer = BUF_INIT(h->config.keep_max), .read_max = h->config.read_max, .next = h->requests };
	h->requests = r;
	if (f->body != NULL) {
		r->body = xmalloc(f->len + 1);
		memcpy(r->body, f->body, f->len);
		r->body[f->len] = '\0';
	}
	r->headers = curl_slist_append(r->headers, "Expect:");
	for (const char *const *line = f->headers; line != NULL && *line != NULL; line++)
		r->headers = curl_slist_append(r->headers, *line);
	if ((r->easy = curl_easy_init()) == NULL)
		die(EX_OSERR, "libcurl: out of memory");
	set_way(h, r->easy);
	set_request(r);
	if (curl_multi_add_handle(h->multi, r->easy) != CURLM_OK)
		die(EX_SOFTWARE, "libcurl takes no request");
}
