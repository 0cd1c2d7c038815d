#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "alertd.h"
#include "env/env.h"
#include "log/log.h"
#include "mem/mem.h"

#define SUFFIX ".rule"
#define NAME_MAX_BYTES 60
#define RULES_MAX 1000           /* in a directory */

struct find {
	const char *name;
	const char *value;
};

static void
is_it(void *priv, const struct env_setting *s)
{
	struct find *f = priv;

	if (!s->secret && strcmp(s->name, f->name) == 0)
		f->value = env_get(s->name);
}

static const char *
setting(void *priv, const char *name)
{
	struct find f = { name, NULL };

	(void)priv;
	env_each(is_it, &f);
	return f.value;
}

/* As compilers say it, so that editors find the place. */
static void
on_error(void *priv, const char *path, unsigned line, unsigned column, const char *text)
{
	(void)priv;
	log_err("%s:%u:%u: %s", path, line, column, text);
}

static char *
read_text(const char *path, size_t *len)
{
	char *text = xmalloc(RULE_TEXT_MAX + 2);
	FILE *f = fopen(path, "re");

	if (f == NULL) {
		free(text);
		return NULL;
	}
	*len = fread(text, 1, RULE_TEXT_MAX + 1, f);
	text[*len] = '\0';
	if (ferror(f)) {
		free(text);
		text = NULL;
	}
	(void)fclose(f);
	return text;
}

static int
good_name(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '-' && name[i] != '_')
			return 0;
	return len > 0 && len <= NAME_MAX_BYTES;
}

static size_t
stem(const char *file)
{
	size_t n = strlen(file), suffix = sizeof(SUFFIX) - 1;

	return n > suffix && strcmp(file + n - suffix, SUFFIX) == 0 ? n - suffix : 0;
}

static void
load_one(struct loaded *l, const char *path, int thorough)
{
	static const struct rule_env env = { setting, on_error, NULL };
	const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
	size_t len, n = stem(file);
	char name[NAME_MAX_BYTES + 1], *text;
	struct rule *r;

	if (!good_name(file, n)) {
		log_err("%s: a rule's file is called <name>%s, the name of letters, digits, '-' and '_', %d at most", path, SUFFIX, NAME_MAX_BYTES);
		l->wrong++;
		return;
	}
	(void)snprintf(name, sizeof(name), "%.*s", (int)n, file);
	text = read_text(path, &len);
	if (text == NULL)
		log_err("unable to read %s: %s", path, strerror(errno));
	r = text != NULL ? rule_new(&env, name, path, text, len, thorough) : NULL;
	free(text);
	if (r == NULL) {
		l->wrong++;
		return;
	}
	l->rule = xreallocarray(l->rule, l->n + 1, sizeof(*l->rule));
	l->rule[l->n++] = r;
}

/* ---- directories ---- */

struct names {
	char **path;
	size_t n;
};

static const char *
base(const char *path)
{
	return strrchr(path, '/') + 1;
}

static void
add_path(struct names *p, const char *dir, const char *file)
{
	size_t i;

	for (i = 0; i < p->n && strcmp(base(p->path[i]), file) != 0; i++)
		;
	if (i == p->n) {
		p->path = xreallocarray(p->path, p->n + 1, sizeof(*p->path));
		p->path[p->n++] = NULL;
	}
	free(p->path[i]);
	p->path[i] = xasprintf("%s/%s", dir, file);
}

static size_t
count_rules(DIR *d)
{
	struct dirent *e;
	size_t n = 0;

	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.' && stem(e->d_name) > 0;
	rewinddir(d);
	return n;
}

/* 1: more than one looks at. */
static int
add_dir(struct names *p, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	size_t n;

	if (d == NULL)
		return -1;
	if ((n = count_rules(d)) > RULES_MAX) {
		log_err("%s has %zu rules, and %d are the most: none of them is taken", dir, n, RULES_MAX);
		(void)closedir(d);
		return 1;
	}
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && stem(e->d_name) > 0)
			add_path(p, dir, e->d_name);
	(void)closedir(d);
	return 0;
}

static int
by_base(const void *a, const void *b)
{
	return strcmp(base(*(char *const *)a), base(*(char *const *)b));
}

void
load_rules(struct loaded *l, const char *own, int thorough)
{
	char *shipped = env_share_dir(*env_root() ? "lib/rule/rules.d" : "rules.d");
	struct names p = { NULL, 0 };
	int added;

	memset(l, 0, sizeof(*l));
	if (add_dir(&p, shipped) != 0)
		die(EX_NOINPUT, "unable to read the rules that come with the program in %s: %s", shipped, strerror(errno));
	added = add_dir(&p, own);
	if (added > 0)
		l->wrong++;
	if (added < 0 && errno != ENOENT)
		die(EX_NOINPUT, "unable to read the rules in %s: %s", own, strerror(errno));
	qsort(p.path, p.n, sizeof(*p.path), by_base);
	for (size_t i = 0; i < p.n; i++) {
		load_one(l, p.path[i], thorough);
		free(p.path[i]);
	}
	free(p.path);
	free(shipped);
}

void
load_files(struct loaded *l, char **paths, int n)
{
	memset(l, 0, sizeof(*l));
	for (int i = 0; i < n; i++)
		load_one(l, paths[i], 1);
}

void
load_free(struct loaded *l)
{
	for (size_t i = 0; i < l->n; i++)
		rule_free(&l->rule[i]);          /* NULL when taken */
	free(l->rule);
}

char *
load_own_dir(void)
{
	return xasprintf("%s/rules.d", env_data_dir());
}
