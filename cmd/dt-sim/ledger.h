/* ledger: which telemetry events were sent, a line each: name, number, timestamp, and "sent", or "unsure" when the connection broke before
 * the event was handed to the kernel. */
#ifndef SIM_LEDGER_H
#define SIM_LEDGER_H
#include <stddef.h>
#include <stdio.h>

struct ledger;

struct ledger *ledger_new(FILE *, unsigned characters);       /* borrows the file */
void ledger_free(struct ledger **);
/* The character's connection took so many bytes more; the event whose last byte is among them is noted behind them. */
void ledger_bytes(struct ledger *, unsigned character, size_t taken);
void ledger_add(struct ledger *, unsigned character, unsigned n, const char *timestamp);
/* Writes what is out, when so many bytes are not yet. */
void ledger_flush(struct ledger *, unsigned character, const char *name, size_t queued);
void ledger_write(struct ledger *);                           /* what was noted gets to the file */
void ledger_broken(struct ledger *, unsigned character, const char *name);   /* what waits is unsure */

#endif
