#include "log/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "clock/clock.h"

#define LINE_MAX_BYTES 1024
#define PER_SECOND 100

static struct {
	const char *program;
	enum log_level level;
	int chosen;
} S = { .program = "dt", .level = LOG_LEVEL_INFO };

/* How often each message was printed in the current second; keyed by the format's address. */
static struct limit {
	const char *fmt;
	int64_t second;
	unsigned printed, suppressed;
} limits[64];

static const char *const level_words[] = { "debug", "info", "warning", "error" };

int
log_level_parse(const char *name, enum log_level *level)
{
	for (unsigned i = 0; i < sizeof(level_words) / sizeof(*level_words); i++)
		if (strcasecmp(name, level_words[i]) == 0) {
			*level = (enum log_level)i;
			return 0;
		}
	return -1;
}

void
log_level_set(enum log_level level)
{
	S.level = level;
	S.chosen = 1;
}

void
log_level_fall_back(enum log_level level)
{
	if (!S.chosen)
		S.level = level;
}

void
log_open(const char *program)
{
	const char *level = getenv("LOG_LEVEL");
	enum log_level l;

	S.program = program;
	if (level != NULL && log_level_parse(level, &l) == 0)
		log_level_fall_back(l);
}

const char *
log_program(void)
{
	return S.program;
}

/* Length of the valid UTF-8 character at s that may be printed as it is, or 0. */
static size_t
printable(const unsigned char *s)
{
	if (s[0] >= 0x20 && s[0] < 0x7f)
		return 1;
	if (s[0] >= 0xc2 && s[0] < 0xe0 && (s[1] & 0xc0) == 0x80)
		return s[0] == 0xc2 && s[1] < 0xa0 ? 0 : 2;     /* C1 controls */
	if (s[0] >= 0xe0 && s[0] < 0xf0 && (s[1] & 0xc0) == 0x80 && (s[2] & 0xc0) == 0x80)
		return 3;
	if (s[0] >= 0xf0 && s[0] < 0xf5 && (s[1] & 0xc0) == 0x80 && (s[2] & 0xc0) == 0x80 && (s[3] & 0xc0) == 0x80)
		return 4;
	return 0;
}

static size_t
escape(char *out, size_t size, const char *text)
{
	size_t n = 0;

	for (const unsigned char *s = (const unsigned char *)text; *s != '\0' && n + 5 < size;) {
		size_t len = printable(s);
		if (len == 0) {
			n += (size_t)snprintf(out + n, size - n, "\\x%02x", *s++);
			continue;
		}
		memcpy(out + n, s, len);
		n += len;
		s += len;
	}
	return n;
}

static void
emit(const char *word, const char *fmt, va_list ap)
{
	char text[LINE_MAX_BYTES], line[2 * LINE_MAX_BYTES];
	int head;
	size_t n;

	(void)vsnprintf(text, sizeof text, fmt, ap);
	head = snprintf(line, sizeof line / 4, "%s: %s%s", S.program, word, *word ? ": " : "");
	n = (size_t)head + escape(line + head, sizeof line - (size_t)head - 1, text);
	line[n++] = '\n';
	/* one write: lines of several processes on one pipe do not mix */
	(void)!write(STDERR_FILENO, line, n);
}

static void __attribute__((format(printf, 2, 3)))
emitf(const char *word, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(word, fmt, ap);
	va_end(ap);
}

static int
allowed(const char *fmt)
{
	struct limit *l = &limits[((uintptr_t)fmt >> 3) % (sizeof(limits) / sizeof(*limits))];
	int64_t second = clock_mono_ms() / 1000;

	if (l->second != second || l->fmt != fmt) {
		if (l->suppressed > 0)
			emitf("warning", "suppressed %u messages like \"%s\"", l->suppressed, l->fmt);
		*l = (struct limit){ .fmt = fmt, .second = second };
	}
	if (l->printed >= PER_SECOND) {
		l->suppressed++;
		return 0;
	}
	l->printed++;
	return 1;
}

#define DEFINE_LOG(function, lvl, word)                                      \
	void function(const char *fmt, ...)                                  \
	{                                                                    \
		va_list ap;                                                  \
		if (S.level > (lvl) || !allowed(fmt))                        \
			return;                                              \
		va_start(ap, fmt);                                           \
		emit(word, fmt, ap);                                         \
		va_end(ap);                                                  \
	}

DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG, "debug")
DEFINE_LOG(log_info, LOG_LEVEL_INFO, "")
DEFINE_LOG(log_warn, LOG_LEVEL_WARNING, "warning")
DEFINE_LOG(log_err, LOG_LEVEL_ERROR, "error")

void
die(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit("fatal", fmt, ap);
	va_end(ap);
	exit(code);
}
