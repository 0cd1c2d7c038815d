/* The index beside a segment: records of {_seq, _rx in microseconds, byte offset} of a line about every JINDEX_EVERY bytes of text, three
 * little-endian 64-bit words each.  It only says where to begin looking: any subset of its records in order is a good index. */
#ifndef JOURNAL_INDEX_H
#define JOURNAL_INDEX_H
#include <stddef.h>
#include <stdint.h>

#define JINDEX_EVERY (64u << 10)
#define JINDEX_RECORD 24u

struct jfile;
struct jindex_record { uint64_t seq; int64_t rx_us; uint64_t off; };
struct jindex {
	struct jindex_record *record;
	size_t n, cap;
	size_t written;                          /* how many stand in the file */
};

void jindex_clear(struct jindex *);
void jindex_free(struct jindex *);
void jindex_add(struct jindex *, uint64_t seq, int64_t rx_us, uint64_t off);
/* Is it time for a record at that offset? */
int jindex_due(const struct jindex *, uint64_t off);

/* Reads the index of the segment that begins with first.  Records out of order end it.  0, or -1 when there is none or it is torn (what is good is kept). */
int jindex_load(struct jindex *, int dirfd, uint64_t first);
/* Appends what the file lacks.  0, or -1 with errno; then it is tried again with the next one. */
int jindex_append(struct jindex *, int fd);
/* Writes the whole file anew under a temporary name. */
int jindex_save(struct jindex *, int dirfd, uint64_t first);

/* Where to begin looking for the first line with that _seq or more, or that _rx or more. */
uint64_t jindex_seek_seq(const struct jindex *, uint64_t seq);
uint64_t jindex_seek_time(const struct jindex *, int64_t rx_us);

#endif
