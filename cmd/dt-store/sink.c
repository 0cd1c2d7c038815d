#include "sink.h"

#include <string.h>

extern const struct sink sink_telemetry, sink_inventory;

static const struct sink *const sinks[] = { &sink_telemetry, &sink_inventory };

const struct sink *
sink_find(const char *name)
{
	for (size_t i = 0; i < sizeof sinks / sizeof *sinks; i++)
		if (strcmp(sinks[i]->name, name) == 0)
			return sinks[i];
	return NULL;
}
