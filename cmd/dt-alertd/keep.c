/* The state file: a line that says how far, then what lib/rule saves. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "alertd.h"
#include "env/env.h"
#include "log/log.h"
#include "mem/mem.h"

#define STATE_MAX (256u << 20)

char *
keep_path(void)
{
	return xasprintf("%s/alertd/state.ndjson", env_data_dir());
}

static int
read_file(const char *path, struct buf *b)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *to;
	ssize_t n;

	if (fd == -1)
		return -1;
	for (;;) {
		to = buf_reserve(b, 65536);
		if (to == NULL) {
			errno = EFBIG;
			n = -1;
			break;
		}
		n = read(fd, to, 65536);
		if (n <= 0 && !(n == -1 && errno == EINTR))
			break;
		if (n > 0)
			buf_added(b, (size_t)n);
	}
	(void)close(fd);
	return n == 0 ? 0 : -1;
}

/* {"type":"alertd","journal":"…","seq":N,"bytes":M}: M bytes follow. */
static int
read_head(const char *p, size_t len, struct kept *k, int64_t *bytes)
{
	static struct event ev;
	int64_t seq;

	if (event_scan(p, len, &ev) != EVENT_OK || !event_value_is(ev.type, "alertd") || event_int(event_get(&ev, "seq"), &seq) != 0 ||
	    event_int(event_get(&ev, "bytes"), bytes) != 0 || event_string(event_get(&ev, "journal"), k->journal, sizeof(k->journal)) < 0)
		return -1;
	k->seq = (uint64_t)seq;
	return 0;
}

static int
parse(const char *p, size_t len, struct kept *k, struct rules *rules)
{
	const char *nl = memchr(p, '\n', len);
	size_t head = nl != NULL ? (size_t)(nl - p) + 1 : 0;
	int64_t bytes;

	if (nl == NULL || read_head(p, head - 1, k, &bytes) != 0 || bytes != (int64_t)(len - head))
		return -1;
	return rules_load(rules, p + head, len - head);
}

int
keep_read(struct kept *k, struct rules *rules, int put_aside)
{
	char *path = keep_path(), *aside;
	struct buf b = BUF_INIT(STATE_MAX);
	int r = 1;

	memset(k, 0, sizeof(*k));
	if (read_file(path, &b) != 0) {
		if (errno != ENOENT)
			die(EX_IOERR, "unable to read %s: %s", path, strerror(errno));
		r = 0;
	} else if (parse(buf_data(&b), buf_size(&b), k, rules) != 0) {
		memset(k, 0, sizeof(*k));
		r = -1;
		aside = xasprintf("%s.bad", path);
		if (put_aside && rename(path, aside) == 0)
			log_warn("%s is damaged: it is put aside as %s, and the rules begin anew with the next event", path, aside);
		else
			log_warn("%s is damaged", path);
		free(aside);
	}
	buf_fini(&b);
	free(path);
	return r;
}

static int
write_all(int fd, const char *p, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n == -1 && errno != EINTR)
			return -1;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int
replace(const char *path, const struct buf *head, const struct buf *body, int sync)
{
	char *new_path = xasprintf("%s.new", path);
	int fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), r = -1;

	if (fd != -1) {
		r = write_all(fd, head->p + head->off, buf_size(head));
		if (r == 0)
			r = write_all(fd, body->p + body->off, buf_size(body));
		if (r == 0 && sync)
			r = fdatasync(fd);
		if (close(fd) == -1)
			r = -1;
	}
	if (r == 0)
		r = rename(new_path, path);
	free(new_path);
	return r;
}

int
keep_write(const struct kept *k, const struct rules *rules, int sync)
{
	static int failing;
	static char *path;
	struct buf head = BUF_INIT(4096), body = BUF_INIT(STATE_MAX);
	int r;

	if (path == NULL)
		path = keep_path();
	rules_save(rules, &body);
	(void)buf_printf(&head, "{\"type\":\"alertd\",\"journal\":\"%s\",\"seq\":%" PRIu64 ",\"bytes\":%zu}\n", k->journal, k->seq, buf_size(&body));
	r = replace(path, &head, &body, sync);
	if (r != 0 && !failing)
		log_err("unable to write %s, trying again: %s", path, strerror(errno));
	else if (r == 0 && failing)
		log_info("%s is written again", path);
	failing = r != 0;
	buf_fini(&head);
	buf_fini(&body);
	return r;
}
