#include "probe.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clock/clock.h"
#include "mem/mem.h"
#include "packet.h"

#define RESOLVER_LOOK_MS 20              /* glibc tells of an answer only by signal or thread: looking is simpler */
#define ADDRESS_LASTS_MS 300000

enum state { IDLE, RESOLVING, ASKING };

struct probe {
	struct pollable pollable;
	struct probe_config config;
	enum state state;
	int64_t next_ms, until_ms;
	struct gaicb *lookup;            /* under way; glibc's until it is done */
	struct sockaddr_storage address;
	socklen_t address_len;           /* 0: none known */
	int64_t stale_ms;                /* the address wants another look from here */
	struct timespec asked;
};

static void on_turn(struct pollable *, short, int64_t);

/* ---- names ---- */

static void
lookup_begin(struct probe *p)
{
	static const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM };
	struct gaicb *lookup = xcalloc(1, sizeof(*lookup));

	*lookup = (struct gaicb){ .ar_name = p->config.host, .ar_service = p->config.port, .ar_request = &hints };
	if (getaddrinfo_a(GAI_NOWAIT, &lookup, 1, NULL) == 0)
		p->lookup = lookup;
	else
		free(lookup);
}

/* 1 while it is under way. */
static int
lookup_step(struct probe *p, int64_t now_ms)
{
	int code;

	if (p->lookup == NULL)
		return 0;
	code = gai_error(p->lookup);
	if (code == EAI_INPROGRESS)
		return 1;
	if (code == 0 && p->lookup->ar_result->ai_addrlen <= sizeof(p->address)) {
		memcpy(&p->address, p->lookup->ar_result->ai_addr, p->lookup->ar_result->ai_addrlen);
		p->address_len = p->lookup->ar_result->ai_addrlen;
		p->stale_ms = now_ms + ADDRESS_LASTS_MS;
	}
	if (p->lookup->ar_result != NULL)
		freeaddrinfo(p->lookup->ar_result);
	free(p->lookup);
	p->lookup = NULL;
	return 0;
}

/* ---- asking ---- */

static void
done(struct probe *p, enum probe_outcome outcome, double latency_ms, const char *why)
{
	int64_t now_ms = clock_mono_ms();

	if (p->pollable.fd != -1)
		close(p->pollable.fd);
	if (outcome != PROBE_ANSWERED)
		p->stale_ms = 0;
	p->state = IDLE;
	p->next_ms = p->next_ms + p->config.interval_ms > now_ms ? p->next_ms + p->config.interval_ms : now_ms;
	p->pollable.fd = -1;
	p->pollable.events = 0;
	p->pollable.deadline_ms = p->next_ms;
	p->config.on_outcome(p->config.priv, outcome, latency_ms, why);
}

/* What the kernel says of the other side is an answer of sorts; the rest are troubles of our own. */
static void
failed(struct probe *p, int error)
{
	if (error == ECONNREFUSED)
		done(p, PROBE_MISSED, 0, "its port is closed");
	else if (error == EHOSTUNREACH)
		done(p, PROBE_MISSED, 0, "its host cannot be reached");
	else
		done(p, PROBE_UNCLEAR, 0, "there is no network to it from here");
}

/* A socket for each question, so that an answer which comes too late is not taken for the next one's. */
static void
ask(struct probe *p, int64_t now_ms)
{
	int fd = socket(p->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	p->pollable.fd = fd;
	if (fd == -1 || connect(fd, (struct sockaddr *)&p->address, p->address_len) == -1) {
		failed(p, errno);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &p->asked);
	if (send(fd, packet_login, sizeof(packet_login), 0) == -1) {
		failed(p, errno);
		return;
	}
	p->state = ASKING;
	p->pollable.events = POLLIN;
	p->pollable.deadline_ms = now_ms + p->config.patience_ms;
}

static void
on_answer(struct probe *p)
{
	uint8_t data[2048];
	struct timespec now;
	ssize_t n = recv(p->pollable.fd, data, sizeof(data), 0);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == -1) {
		failed(p, errno);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (packet_is_reply(data, (size_t)n))
		done(p, PROBE_ANSWERED, (double)(now.tv_sec - p->asked.tv_sec) * 1e3 + (double)(now.tv_nsec - p->asked.tv_nsec) / 1e6, "");
	else
		done(p, PROBE_UNCLEAR, 0, "what answers there is no game server, or speaks otherwise");
}

/* ---- turns ---- */

static void
begin(struct probe *p, int64_t now_ms)
{
	if (p->address_len > 0 && now_ms < p->stale_ms) {
		ask(p, now_ms);
		return;
	}
	if (p->lookup == NULL)
		lookup_begin(p);
	p->state = RESOLVING;
	p->until_ms = now_ms + p->config.patience_ms;
	p->pollable.deadline_ms = now_ms;
}

static void
resolve(struct probe *p, int64_t now_ms)
{
	if (lookup_step(p, now_ms) && now_ms < p->until_ms) {
		p->pollable.deadline_ms = now_ms + RESOLVER_LOOK_MS;
		return;
	}
	if (p->address_len > 0)          /* an old one is better than none */
		ask(p, now_ms);
	else
		done(p, PROBE_UNCLEAR, 0, "its name cannot be resolved");
}

static void
on_turn(struct pollable *pollable, short revents, int64_t now_ms)
{
	struct probe *p = (struct probe *)pollable;

	switch (p->state) {
	case IDLE: begin(p, now_ms); break;
	case RESOLVING: resolve(p, now_ms); break;
	case ASKING:
		if (revents != 0)
			on_answer(p);
		else
			done(p, PROBE_MISSED, 0, "it does not answer");
		break;
	}
}

struct probe *
probe_new(const struct probe_config *config)
{
	struct probe *p = xcalloc(1, sizeof(*p));

	p->config = *config;
	p->next_ms = clock_mono_ms();
	p->pollable = (struct pollable){ .fd = -1, .deadline_ms = p->next_ms, .handle = on_turn };
	return p;
}

/* A lookup that is still under way stays glibc's. */
void
probe_free(struct probe **pp)
{
	struct probe *p = *pp;

	if (p->pollable.fd != -1)
		close(p->pollable.fd);
	if (p->lookup != NULL && gai_cancel(p->lookup) != EAI_NOTCANCELED)
		(void)lookup_step(p, 0);
	free(p);
	*pp = NULL;
}

struct pollable *
probe_pollable(struct probe *p)
{
	return &p->pollable;
}
