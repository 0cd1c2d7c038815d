/* A thread that calls fdatasync, so that the program's loop never waits for the disk.  Jobs are done in the order they were given. */
#ifndef JOURNAL_SYNC_H
#define JOURNAL_SYNC_H
#include <stdint.h>

struct jsync;
struct jsync_job {
	int fd;                          /* of the segment, readable and writable */
	int also_fd, dir_fd;             /* synced as well; -1: none */
	int close_fd;                    /* close fd when done */
	uint64_t from, to;               /* the bytes that are to be on disk afterwards */
};

struct jsync *jsync_new(void);
void jsync_free(struct jsync **);        /* waits for the jobs given, but does not repeat failing ones */
int jsync_fd(const struct jsync *);      /* readable when there is news */
void jsync_give(struct jsync *, const struct jsync_job *);
/* How many jobs were finished since the last call, and how many failed.  *error: errno while the current job is failing; it is tried again twice a second after
 * its bytes were written anew, since the kernel forgets what it could not write. */
unsigned jsync_take(struct jsync *, unsigned *failures, int *error);

#endif
