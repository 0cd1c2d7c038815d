#include "env/env.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "buf/buf.h"
#include "log/log.h"
#include "mem/mem.h"

#define FILE_BYTES_MAX (1u << 20)

enum source { FROM_DEFAULT, FROM_SECRETS, FROM_DOTENV, FROM_FILE, FROM_ENVIRONMENT };

static const struct env_setting settings[] = {
#define SETTING(name, fallback, secret, help) { name, fallback, help, secret },
#include "env/settings.def"
#undef SETTING
};
#define N_SETTINGS (sizeof settings / sizeof *settings)

static struct {
	char *value[N_SETTINGS];
	enum source source[N_SETTINGS];
	char *root, *data, *run;
} S;

static int
find(const char *name, size_t len)
{
	for (size_t i = 0; i < N_SETTINGS; i++)
		if (strlen(settings[i].name) == len && memcmp(settings[i].name, name, len) == 0)
			return (int)i;
	return -1;
}

static void
set(int i, enum source source, const char *value, size_t len)
{
	if (len == 0 || (S.value[i] != NULL && S.source[i] > source))
		return;
	free(S.value[i]);
	S.value[i] = xstrndup(value, len);
	S.source[i] = source;
}

/* Whole file, or -1 with errno. */
static int
slurp(const char *path, struct buf *b)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *to;
	ssize_t n;

	if (fd == -1)
		return -1;
	while ((to = buf_reserve(b, 4096)) != NULL && (n = read(fd, to, 4096)) > 0)
		buf_added(b, (size_t)n);
	(void)close(fd);
	return 0;
}

/* Value of one line into out (as long as the text at most): plain, 'literal' or "with escapes".  -1: malformed. */
static long
unquote(const char *p, const char *end, char *out)
{
	char quote = p < end && (*p == '\'' || *p == '"') ? *p++ : '\0';
	char *o = out;

	for (; p < end && (quote == '\0' || *p != quote); p++) {
		if (quote == '\0' && *p == '#' && o > out && isblank((unsigned char)p[-1]))
			break;
		if (quote == '"' && *p == '\\' && p + 1 < end) {
			p++;
			*o++ = *p == 'n' ? '\n' : *p == 't' ? '\t' : *p;
		} else
			*o++ = *p;
	}
	if (quote != '\0') {
		if (p == end)
			return -1;
		for (p++; p < end; p++)
			if (!isblank((unsigned char)*p))
				return *p == '#' ? o - out : -1;
		return o - out;
	}
	while (o > out && isspace((unsigned char)o[-1]))
		o--;
	return o - out;
}

static void
read_line(const char *path, unsigned number, const char *p, const char *end, enum source source)
{
	const char *eq;
	char *value;
	long len;
	int i;

	while (p < end && isspace((unsigned char)*p))
		p++;
	while (end > p && isspace((unsigned char)end[-1]))
		end--;
	if (p == end || *p == '#')
		return;
	if (end - p > 7 && memcmp(p, "export ", 7) == 0)
		p += 7;
	eq = memchr(p, '=', (size_t)(end - p));
	if (eq == NULL || eq == p)
		die(EX_CONFIG, "%s:%u: not a line of the form NAME=value", path, number);
	i = find(p, (size_t)(eq - p));
	value = xmalloc((size_t)(end - eq));
	if ((len = unquote(eq + 1, end, value)) == -1)
		die(EX_CONFIG, "%s:%u: a quote is not closed, or text follows it", path, number);
	if (i == -1)
		log_warn("%s:%u: no setting is called %.*s", path, number, (int)(eq - p), p);
	else
		set(i, source, value, (size_t)len);
	free(value);
}

static void
read_file(const char *path, enum source source)
{
	struct buf b = BUF_INIT(FILE_BYTES_MAX);
	struct stat st;
	unsigned number = 0;

	if (stat(path, &st) == -1 || slurp(path, &b) == -1) {
		if (errno != ENOENT && errno != ENOTDIR)
			die(EX_CONFIG, "unable to read settings from %s: %s", path, strerror(errno));
		return;
	}
	if (S_ISREG(st.st_mode) && st.st_mode & 07)
		log_warn("%s may hold secrets and can be read by everyone; chmod 600 mends it", path);
	for (const char *p = buf_data(&b), *end = p + buf_size(&b); p < end;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl ? nl : end;
		read_line(path, ++number, p, stop, source);
		p = nl ? nl + 1 : end;
	}
	buf_fini(&b);
}

/* NAME_FILE: the value is the file's content without its last line end. */
static void
read_named_file(int i)
{
	char *name = xasprintf("%s_FILE", settings[i].name);
	const char *path = getenv(name);
	struct buf b = BUF_INIT(65536);
	size_t n;

	if (path != NULL && *path != '\0') {
		if (slurp(path, &b) == -1)
			die(EX_CONFIG, "%s: unable to read %s: %s", name, path, strerror(errno));
		for (n = buf_size(&b); n > 0 && strchr("\r\n", buf_data(&b)[n - 1]); n--)
			;
		set(i, FROM_FILE, buf_data(&b), n);
		buf_fini(&b);
	}
	free(name);
}

/* The checkout that holds this binary as <root>/build/…/bin/<program>, or "". */
static char *
find_root(void)
{
	char exe[PATH_MAX], *build, *makefile;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	int found;

	if (n <= 0)
		return xstrdup("");
	exe[n] = '\0';
	while ((build = strrchr(exe, '/')) != NULL && build != exe) {
		int at_build = strcmp(build, "/build") == 0;
		*build = '\0';
		if (!at_build)
			continue;
		makefile = xasprintf("%s/Makefile", exe);
		found = access(makefile, R_OK) == 0;
		free(makefile);
		if (found)
			return xstrdup(exe);
	}
	return xstrdup("");
}

static char *
absolute(const char *path)
{
	char cwd[PATH_MAX];

	if (path[0] == '/' || getcwd(cwd, sizeof cwd) == NULL)
		return xstrdup(path);
	return xasprintf("%s/%s", cwd, path);
}

/* The tree of the build's directory may lie outside a directory called build (B=/tmp/x): then the current directory decides nothing,
 * and only the environment names the data. */
static void
set_directories(void)
{
	const char *data = env_get("DT_DATA"), *run = env_get("DT_RUN");

	if (*data)
		S.data = absolute(data);
	else
		S.data = *S.root ? xasprintf("%s/var", S.root) : xstrdup("/var/lib/dt");
	S.run = *run ? absolute(run) : xasprintf("%s/run", S.data);
}

void
env_load(void)
{
	const char *file = getenv("DT_ENV_FILE");
	enum log_level level;
	char *path, *secrets;

	assert(S.root == NULL);
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });      /* a core would hold the secrets that are read here */
	S.root = find_root();
	for (size_t i = 0; i < N_SETTINGS; i++) {
		const char *value = getenv(settings[i].name);
		if (value != NULL)
			set((int)i, FROM_ENVIRONMENT, value, strlen(value));
		read_named_file((int)i);
	}
	path = file && *file ? xstrdup(file) : *S.root ? xasprintf("%s/.env", S.root) : xstrdup("/etc/dt/dt.env");
	read_file(path, FROM_DOTENV);
	set_directories();
	secrets = xasprintf("%s/secrets", S.data);
	if (access(secrets, R_OK) == 0)          /* others may run dt-tap without the right to read it */
		read_file(secrets, FROM_SECRETS);
	free(path);
	free(secrets);
	if (log_level_parse(env_get("LOG_LEVEL"), &level) == -1)
		die(EX_CONFIG, "LOG_LEVEL=%s: debug, info, warning or error is expected", env_get("LOG_LEVEL"));
	log_level_fall_back(level);
}

const char *
env_get(const char *name)
{
	int i = find(name, strlen(name));

	assert(i != -1);
	return S.value[i] ? S.value[i] : settings[i].fallback;
}

int64_t
env_int(const char *name, int64_t min, int64_t max)
{
	const char *text = env_get(name);
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || n < min || n > max)
		die(EX_CONFIG, "%s=%s: a whole number between %lld and %lld is expected", name, text, (long long)min, (long long)max);
	return n;
}

int64_t
env_parse_bytes(const char *text)
{
	static const char units[] = "kMGT";
	char *end;
	const char *unit;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno != 0 || end == text || n < 0 || !isdigit((unsigned char)text[0]))
		return -1;
	if (*end == '\0')
		return n;
	if (end[1] != '\0' || (unit = strchr(units, *end == 'K' ? 'k' : *end)) == NULL)
		return -1;
	for (const char *u = units; u <= unit; u++)
		if (__builtin_mul_overflow(n, 1024, &n))
			return -1;
	return n;
}

int64_t
env_bytes(const char *name)
{
	int64_t n = env_parse_bytes(env_get(name));

	if (n < 0)
		die(EX_CONFIG, "%s=%s: a size such as 512, 64k, 16M or 4G is expected", name, env_get(name));
	return n;
}

int
env_is_placeholder(const char *value)
{
	static const char *const known[] = { "changeme", "change-me", "change_me", "secret", "password", "your_secret", "your-secret",
	    "your_shared_secret", "placeholder", "example", "todo", "xxx", "test" };

	if (value[0] == '\0' || value[0] == '<')
		return 1;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcasecmp(value, known[i]) == 0)
			return 1;
	return 0;
}

const char *
env_root(void)
{
	return S.root;
}

const char *
env_data_dir(void)
{
	return S.data;
}

const char *
env_run_dir(void)
{
	return S.run;
}

char *
env_share_dir(const char *sub)
{
	return *S.root ? xasprintf("%s/%s", S.root, sub) : xasprintf("%s/%s", SHARE_DIR, sub);
}

char *
env_run_path(const char *name)
{
	char *path = xasprintf("%s/%s", S.run, name);

	if (strlen(path) >= sizeof ((struct sockaddr_un *)0)->sun_path)
		die(EX_CONFIG, "%s is too long for a socket (%zu characters at most); set DT_RUN to a shorter directory", path,
		    sizeof ((struct sockaddr_un *)0)->sun_path - 1);
	return path;
}

void
env_each(void (*f)(void *, const struct env_setting *), void *priv)
{
	for (size_t i = 0; i < N_SETTINGS; i++)
		f(priv, &settings[i]);
}
