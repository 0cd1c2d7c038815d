/* inner: what the files of lib/itemq share. */
#ifndef ITEMQ_INNER_H
#define ITEMQ_INNER_H
#include "game/game.h"
#include "itemq/itemq.h"

enum kind { KIND_TEXT, KIND_NAME, KIND_CHARACTER, KIND_NAMED, KIND_BITS, KIND_SPELL, KIND_LEVEL, KIND_NUMBER, KIND_REAL, KIND_RATING, KIND_OBJECT, KIND_FLAG };

enum field_id {
#define FIELD(id, name, aliases, kind, game, member) F_##id,
#include "itemq/fields.def"
#undef FIELD
	FIELDS
};

struct field {
	const char *name, *aliases;
	uint8_t kind, game;
	uint16_t at;                             /* offset of the member in struct item */
};
extern const struct field fields[FIELDS];

enum op { OP_HAS, OP_EQ, OP_GE, OP_LE, OP_GT, OP_LT };     /* OP_HAS: ":" */
enum want { WANT_VALUE, WANT_NONE, WANT_ANY };

#define SMALL_IDS 256
#define SPELL_IDS 8192

struct cond {
	uint8_t field, op, negated, want;
	double number;                           /* NUMBER, REAL, RATING, LEVEL, FLAG */
	uint32_t id;                             /* NAMED beyond SMALL_IDS, SPELL beyond SPELL_IDS, OBJECT; BITS: the mask */
	uint64_t small[SMALL_IDS / 64];          /* NAMED */
	uint64_t *spells;                        /* SPELL: SPELL_IDS bits */
	char *text;                              /* TEXT, NAME, CHARACTER: folded */
	size_t len;
};

struct itemq {
	struct cond cond[ITEMQ_CONDITIONS_MAX];
	unsigned n, characters;                  /* characters: how many of them ask for a character and are not negated */
};

/* A piece of what was asked, and where it begins. */
struct piece { const char *p; size_t len, at; };

int itemq_field_find(const char *name, size_t len);        /* by name or alias, case-blind; -1 */
int itemq_add(struct itemq *, unsigned field, enum op, int negated, struct piece value, struct itemq_error *);
int itemq_fail(struct itemq_error *, size_t at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Up to 40 bytes of a text for a message, cut between characters. */
const char *itemq_excerpt(struct piece, char out[48]);

#endif
