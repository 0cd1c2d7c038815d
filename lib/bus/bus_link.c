#include "bus/bus_link.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "event/event.h"
#include "log/log.h"
#include "mem/mem.h"

void
bus_link_init(struct bus_link *link, const char *path)
{
	link->path = xstrdup(path);
	link->fd = -1;
	link->backoff_ms = BUS_LINK_BACKOFF_MIN_MS;
	link->said_down = 0;
}

void
bus_link_fini(struct bus_link *link)
{
	bus_link_close(link);
	free(link->path);
	link->path = NULL;
}

int
bus_link_connect(struct bus_link *link)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, e;

	if (strlen(link->path) >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(sun.sun_path, link->path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		e = errno;
		close(fd);
		errno = e;
		return -1;
	}
	link->fd = fd;
	return 0;
}

void
bus_link_close(struct bus_link *link)
{
	if (link->fd != -1)
		close(link->fd);
	link->fd = -1;
}

/* Half of the back-off is fixed, half is drawn, so that many clients do not come back in step. */
static int64_t
jitter(int64_t backoff_ms)
{
	uint32_t r = 0;

	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) == -1)
		r = (uint32_t)getpid() * 2654435761u;
	return backoff_ms / 2 + (int64_t)(r % (uint32_t)(backoff_ms / 2 + 1));
}

int64_t
bus_link_down(struct bus_link *link, const char *why, int64_t now_ms)
{
	int64_t wait_ms = jitter(link->backoff_ms);

	if (!link->said_down) {
		if (link->fd == -1)
			log_info("waiting for the bus at %s: %s", link->path, why);
		else
			log_warn("lost the bus at %s: %s", link->path, why);
		link->said_down = 1;
	}
	bus_link_close(link);
	link->backoff_ms *= 2;
	if (link->backoff_ms > BUS_LINK_BACKOFF_MAX_MS)
		link->backoff_ms = BUS_LINK_BACKOFF_MAX_MS;
	return now_ms + wait_ms;
}

void
bus_link_up(struct bus_link *link)
{
	if (link->said_down)
		log_info("connected to the bus at %s", link->path);
	link->said_down = 0;
	link->backoff_ms = BUS_LINK_BACKOFF_MIN_MS;
}

static const char *
skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

/* What follows `"key":` and blanks, or NULL. */
static const char *
member(const char *line, size_t len, const char *key)
{
	const char *end = line + len, *p = line;
	char name[40];
	size_t n = (size_t)snprintf(name, sizeof(name), "\"%s\"", key);

	while ((p = memmem(p, (size_t)(end - p), name, n)) != NULL) {
		p = skip_blanks(p + n, end);
		if (p < end && *p == ':') {
			p = skip_blanks(p + 1, end);
			return p < end ? p : NULL;
		}
	}
	return NULL;
}

int
bus_link_number(const char *line, size_t len, const char *key, uint64_t *n)
{
	const char *p = member(line, len, key);
	uint64_t v = 0;
	int digits = 0;

	if (p == NULL)
		return 0;
	for (; p < line + len && *p >= '0' && *p <= '9' && digits < 19; p++, digits++)
		v = v * 10 + (uint64_t)(*p - '0');
	if (digits == 0)
		return 0;
	*n = v;
	return 1;
}

static int
four_hex(const char *p)
{
	return isxdigit((unsigned char)p[0]) && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2]) && isxdigit((unsigned char)p[3]);
}

/* What follows a backslash; 0 when that is no escape.  Halves of surrogate pairs are none: the bus writes such characters as they are. */
static size_t
escape_length(const char *p, const char *end)
{
	if (p < end && *p != '\0' && strchr("\"\\/bfnrt", *p) != NULL)
		return 1;
	if (end - p < 5 || *p != 'u' || !four_hex(p + 1) || (strchr("dD", p[1]) != NULL && p[2] > '7'))
		return 0;
	return 5;
}

int
bus_link_string(const char *line, size_t len, const char *key, char *out, size_t size)
{
	struct event_value value = { .kind = EVENT_STRING };
	const char *p = member(line, len, key), *end = line + len;

	if (p == NULL || *p != '"')
		return 0;
	for (value.p = ++p; p < end && *p != '"'; p++)
		if (*p == '\\') {
			size_t escape = escape_length(p + 1, end);
			if (escape == 0)
				return 0;
			value.escaped = 1;
			p += escape;
		}
	if (p == end)
		return 0;
	value.len = (uint32_t)(p - value.p);
	return event_string(value, out, size) >= 0;
}
