/* What dt-serve says of itself: version, health; /metrics is in metrics.c. */
#include <string.h>

#include "answer.h"
#include "metrics.h"
#include "params.h"
#include "routes.h"

static void
on_version(void *priv, struct http_req *req)
{
	struct routes *r = priv;
	struct buf b = BUF_INIT(1024);

	if (params_known(req, NULL) == -1)
		return;
	(void)buf_appends(&b, "{\"version\":");
	(void)buf_append_json(&b, r->version, strlen(r->version));
	answer_json(req, &b, buf_appends(&b, "}"));
}

static void
reply_health(struct http_req *req, int status, const char *text)
{
	http_reply_header(req, "cache-control", "no-store");
	if (status == 503)
		http_reply_header(req, "retry-after", "1");
	http_reply(req, status, "text/plain; charset=utf-8", text, strlen(text));
}

static void
on_healthz(void *priv, struct http_req *req)
{
	(void)priv;
	if (params_known(req, NULL) == 0)
		reply_health(req, 200, "ok\n");
}

static void
on_readyz(void *priv, struct http_req *req)
{
	struct routes *r = priv;

	if (params_known(req, NULL) == -1)
		return;
	if (!feed_connected(r->feed))
		reply_health(req, 503, "the bus is away\n");
	else if (!feed_warm(r->feed))
		reply_health(req, 503, "the live state is being read from the journal\n");
	else
		reply_health(req, 200, "ready\n");
}

const struct route routes_about[] = {
	{ "GET", "/api-version", on_version },
	{ "GET", "/healthz", on_healthz },
	{ "GET", "/readyz", on_readyz },
	{ "GET", "/metrics", metrics_answer },
	ROUTE_END
};
