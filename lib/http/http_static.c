/* Files: what a browser may have of one directory. */
#include "http/http.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "http/http_int.h"
#include "log/log.h"
#include "mem/mem.h"

#define GZIP_FILE_MIN 860
#define GZIP_FILE_MAX (8u << 20)         /* larger ones are sent as they are, or lie beside as .gz */
#define GZIP_KEPT_MAX (32u << 20)        /* of compressed files in memory */

struct zipped {
	char *path;
	struct timespec mtime;
	struct buf data;
	TAILQ_ENTRY(zipped) link;
};

struct http_static {
	char *dir;                       /* as given: where it leads may change while we run */
	size_t kept;
	TAILQ_HEAD(zipped_head, zipped) zipped;     /* the newest first */
};

struct file {
	char path[PATH_MAX];
	struct stat st;
	int fd;
};

static const struct { const char *suffix, *type; int text; } types[] = {
	{ ".html", "text/html; charset=utf-8", 1 },
	{ ".js", "text/javascript; charset=utf-8", 1 },
	{ ".mjs", "text/javascript; charset=utf-8", 1 },
	{ ".css", "text/css; charset=utf-8", 1 },
	{ ".json", "application/json", 1 },
	{ ".map", "application/json", 1 },
	{ ".webmanifest", "application/manifest+json", 1 },
	{ ".txt", "text/plain; charset=utf-8", 1 },
	{ ".csv", "text/csv; charset=utf-8", 1 },
	{ ".md", "text/markdown; charset=utf-8", 1 },
	{ ".xml", "application/xml", 1 },
	{ ".yaml", "application/yaml", 1 },
	{ ".svg", "image/svg+xml", 1 },
	{ ".wasm", "application/wasm", 1 },
	{ ".png", "image/png", 0 },
	{ ".jpg", "image/jpeg", 0 },
	{ ".jpeg", "image/jpeg", 0 },
	{ ".gif", "image/gif", 0 },
	{ ".webp", "image/webp", 0 },
	{ ".avif", "image/avif", 0 },
	{ ".ico", "image/x-icon", 0 },
	{ ".woff", "font/woff", 0 },
	{ ".woff2", "font/woff2", 0 },
	{ ".ttf", "font/ttf", 0 },
	{ ".mp3", "audio/mpeg", 0 },
	{ ".ogg", "audio/ogg", 0 },
};

void
http_static(struct http *h, const char *dir)
{
	struct http_static *s;

	if (access(dir, R_OK | X_OK) != 0)
		die(EX_NOINPUT, "unable to serve files from %s: %s", dir, strerror(errno));
	s = xcalloc(1, sizeof(*s));
	s->dir = xstrdup(dir);
	TAILQ_INIT(&s->zipped);
	http_static_free(&h->files);
	h->files = s;
}

static void
zipped_free(struct http_static *s, struct zipped *z)
{
	TAILQ_REMOVE(&s->zipped, z, link);
	s->kept -= buf_size(&z->data);
	buf_fini(&z->data);
	free(z->path);
	free(z);
}

void
http_static_free(struct http_static **sp)
{
	struct http_static *s = *sp;
	struct zipped *z;

	if (s == NULL)
		return;
	while ((z = TAILQ_FIRST(&s->zipped)) != NULL)
		zipped_free(s, z);
	free(s->dir);
	free(s);
	*sp = NULL;
}

static int
find_type(const char *path)
{
	size_t n = strlen(path), k;
	int i;

	for (i = 0; i < (int)(sizeof(types) / sizeof(types[0])); i++) {
		k = strlen(types[i].suffix);
		if (n > k && strcmp(path + n - k, types[i].suffix) == 0)
			return i;
	}
	return -1;
}

/* Opens the regular file that the name leads to when it lies below the directory, symbolic links followed; 0 or -1. */
static int
open_below(const struct http_static *s, const char *name, struct file *f)
{
	char want[PATH_MAX], dir[PATH_MAX];
	size_t n;

	if (realpath(s->dir, dir) == NULL || snprintf(want, sizeof(want), "%s%s", dir, name) >= (int)sizeof(want) || realpath(want, f->path) == NULL)
		return -1;
	n = strlen(dir);
	if (strncmp(f->path, dir, n) != 0 || f->path[n] != '/')
		return -1;
	if ((f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)) < 0)
		return -1;
	if (fstat(f->fd, &f->st) == 0 && S_ISREG(f->st.st_mode))
		return 0;
	close(f->fd);
	return -1;
}

static int
is_hidden(const char *name)
{
	return strstr(name, "/.") != NULL || strchr(name, '\\') != NULL;
}

static struct zipped *
zip(struct http_static *s, const struct file *f)
{
	struct zipped *z;
	size_t size = (size_t)f->st.st_size;
	char *data;

	TAILQ_FOREACH(z, &s->zipped, link)
		if (strcmp(z->path, f->path) == 0)
			break;
	if (z != NULL && z->mtime.tv_sec == f->st.st_mtim.tv_sec && z->mtime.tv_nsec == f->st.st_mtim.tv_nsec)
		return z;
	if (z != NULL)
		zipped_free(s, z);
	data = xmalloc(size);
	z = xcalloc(1, sizeof(*z));
	buf_init(&z->data, size + size / 100 + 1024);
	z->path = xstrdup(f->path);
	z->mtime = f->st.st_mtim;
	if (pread(f->fd, data, size, 0) != f->st.st_size || http_gzip(data, size, &z->data) != 0)
		buf_clear(&z->data);
	free(data);
	s->kept += buf_size(&z->data);
	TAILQ_INSERT_HEAD(&s->zipped, z, link);
	while (s->kept > GZIP_KEPT_MAX && TAILQ_LAST(&s->zipped, zipped_head) != z)
		zipped_free(s, TAILQ_LAST(&s->zipped, zipped_head));
	return z;
}

/* The .gz beside the file, when it is not older; then *f becomes that file. */
static int
use_gz_beside(const struct http_static *s, const char *name, struct file *f)
{
	struct file gz;
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s.gz", name) >= (int)sizeof(path) || open_below(s, path, &gz) != 0)
		return 0;
	if (gz.st.st_mtim.tv_sec < f->st.st_mtim.tv_sec) {
		close(gz.fd);
		return 0;
	}
	close(f->fd);
	*f = gz;
	return 1;
}

static void
send_file(struct http_static *s, struct http_req *r, const char *name, struct file *f)
{
	int t = find_type(f->path), text = t >= 0 && types[t].text, gzip = text && http_req_accepts_gzip(r);
	const char *type = t >= 0 ? types[t].type : "application/octet-stream";
	struct zipped *z = NULL;
	char etag[80];

	snprintf(etag, sizeof(etag), "\"%llx-%llx%s\"", (unsigned long long)f->st.st_mtim.tv_sec * 1000000000ull + (unsigned long long)f->st.st_mtim.tv_nsec,
	    (unsigned long long)f->st.st_size, gzip ? "-gz" : "");
	http_reply_header(r, "etag", etag);
	/* names below /assets/ change with their content; the others are asked for again, and mostly answered 304 */
	http_reply_header(r, "cache-control", strncmp(name, "/assets/", 8) == 0 ? "public, max-age=31536000, immutable" : "no-cache");
	if (text)
		http_reply_header(r, "vary", "accept-encoding");
	if (http_has_etag(http_req_header(r, "if-none-match"), etag)) {
		close(f->fd);
		http_req_serve_bytes(r, 304, NULL, NULL, "", 0);
		return;
	}
	if (gzip && use_gz_beside(s, name, f)) {
		http_req_serve_file(r, 200, type, "gzip", f->fd, (size_t)f->st.st_size);
		return;
	}
	if (gzip && f->st.st_size >= GZIP_FILE_MIN && f->st.st_size <= GZIP_FILE_MAX)
		z = zip(s, f);
	if (z != NULL && buf_size(&z->data) > 0 && buf_size(&z->data) < (size_t)f->st.st_size) {
		close(f->fd);
		http_req_serve_bytes(r, 200, type, "gzip", buf_data(&z->data), buf_size(&z->data));
	} else
		http_req_serve_file(r, 200, type, NULL, f->fd, (size_t)f->st.st_size);
}

void
http_static_serve(struct http_static *s, struct http_req *r)
{
	const char *path = http_req_path(r), *method = http_req_method(r);
	size_t n = strlen(path);
	struct file f;
	char name[PATH_MAX];

	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		http_reply_header(r, "allow", "GET,HEAD");
		http_reply_error(r, 405, "method_not_allowed", "%s is not possible here, only GET", method);
	} else if (!is_hidden(path) && snprintf(name, sizeof(name), "%s%s", path, n > 0 && path[n - 1] == '/' ? "index.html" : "") < (int)sizeof(name) &&
	    open_below(s, name, &f) == 0)
		send_file(s, r, name, &f);
	else
		http_reply_error(r, 404, "not_found", "there is nothing at %s", path);
}
