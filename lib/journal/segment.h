/* The segments of a journal directory, by name. */
#ifndef JOURNAL_SEGMENT_H
#define JOURNAL_SEGMENT_H
#include <stddef.h>
#include <stdint.h>

#define JSEG_NAME_SIZE 48

struct jfile;
struct jindex;
struct jseg_entry {
	uint64_t first;          /* _seq of its first line; the name */
	uint64_t disk_bytes;
	uint8_t plain, zst;      /* which files are there; both: the compressed one is complete, the plain one not yet removed */
};

/* "<20 digits><suffix>" */
const char *jseg_name(uint64_t first, const char *suffix, char out[JSEG_NAME_SIZE]);
int jseg_parse(const char *name, uint64_t *first, const char **suffix);

/* All segments in order; free *list.  -1 with errno. */
int jseg_list(int dirfd, struct jseg_entry **list, size_t *n);
/* Opens the plain file, else the compressed one; NULL with errno. */
struct jfile *jseg_open(int dirfd, uint64_t first);
/* The _rx of its first line; 0, or -1 when it has none. */
int jseg_first_rx(int dirfd, uint64_t first, int64_t *rx_us);

#endif
