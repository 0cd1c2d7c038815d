/* A closed segment as zstd: frames of JFILE_FRAME bytes of text with checksums, their table at the end. */
#ifndef JOURNAL_COMPRESS_H
#define JOURNAL_COMPRESS_H
#include <stdint.h>
#include <sys/types.h>

/* Makes <first>.ndjson.zst of <first>.ndjson under a temporary name, syncs it and puts it in place; the plain file stays.  0, -1 with errno. */
int jcompress_segment(int dirfd, uint64_t first);
/* The same in a child process of the lowest priority; its exit status 0 is success. */
pid_t jcompress_fork(int dirfd, uint64_t first);

#endif
