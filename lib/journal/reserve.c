/* The file `reserved`: the boot it was written in, and a number that no _seq shown to anybody exceeds.  What was written but not yet synced
 * survives a killed process and not a power failure; then the numbers that may have been seen are left out, so that none ever names two events. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "journal/writer.h"
#include "log/log.h"

#define AHEAD 1000000u
#define MARGIN 500000u                   /* more than one batch can use up */

static void
boot_id(char out[64])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? -1 : read(fd, out, 63);

	if (fd != -1)
		(void)close(fd);
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, " \n")] = '\0';
	if (out[0] == '\0')
		(void)strcpy(out, "unknown");
}

static int
save(struct journal *j, uint64_t last)
{
	int fd = openat(j->dirfd, "reserved.tmp", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char boot[64];
	int r;

	boot_id(boot);
	r = fd == -1 || dprintf(fd, "%s %" PRIu64 "\n", boot, last) < 0 || journal_settle(j, fd) == -1 ||
	    renameat(j->dirfd, "reserved.tmp", j->dirfd, "reserved") == -1 ? -1 : 0;
	if (fd != -1)
		(void)close(fd);
	if (r == 0)
		j->reserved = last;
	return r;
}

void
journal_reserve_load(struct journal *j)
{
	int fd = openat(j->dirfd, "reserved", O_RDONLY | O_CLOEXEC);
	char text[128] = "", boot[64], now[64];
	ssize_t n = fd == -1 ? 0 : read(fd, text, sizeof text - 1);
	uint64_t last;

	if (fd != -1)
		(void)close(fd);
	boot_id(now);
	if (n <= 0 || sscanf(text, "%63s %" SCNu64, boot, &last) != 2 || last < j->next_seq || strcmp(boot, now) == 0)
		return;
	log_warn("journal %s: the machine stopped without notice; numbers %" PRIu64 " to %" PRIu64 " may have been used and are left out", j->dir,
	    j->next_seq, last);
	j->next_seq = last + 1;
}

/* Like the journal itself it is tried again with the next batch when the disk is full. */
void
journal_reserve(struct journal *j)
{
	if (j->reserved < j->next_seq + MARGIN)
		(void)save(j, j->next_seq + AHEAD);
}

void
journal_reserve_close(struct journal *j)
{
	if (j->staged == j->written)
		(void)save(j, j->next_seq - 1);
}
