#include "account/account.h"

#include <string.h>

static const char *const roles[] = { "nobody", "viewer", "operator", "admin" };
static const char *const errors[ACCOUNT_ERRORS] = {
	[ACCOUNT_OK] = "done",
	[ACCOUNT_EXISTS] = "there is one of that name already",
	[ACCOUNT_UNKNOWN] = "there is none of that name",
	[ACCOUNT_BAD_NAME] = "a name is 1 to 32 letters, digits, '.', '_', '-' or '@'",
	[ACCOUNT_LAST_ADMIN] = "that is the last admin: make another one first",
};

const char *
account_role_name(enum account_role role)
{
	return roles[role];
}

enum account_role
account_role_parse(const char *name)
{
	for (int i = ACCOUNT_VIEWER; i <= ACCOUNT_ADMIN; i++)
		if (strcmp(roles[i], name) == 0)
			return (enum account_role)i;
	return ACCOUNT_NOBODY;
}

const char *
account_error_text(enum account_error e)
{
	return errors[e];
}

int
account_good_name(const char *name)
{
	size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-@");

	return len > 0 && len < ACCOUNT_NAME_SIZE && name[len] == '\0';
}

const char *
account_bad_password(const char *password, size_t len)
{
	if (len < ACCOUNT_PASSWORD_MIN)
		return "a password has at least 8 characters";
	if (len > ACCOUNT_PASSWORD_MAX)
		return "a password has at most 1024 bytes";
	if (memchr(password, '\0', len) != NULL)
		return "a password holds no NUL";
	return NULL;
}
