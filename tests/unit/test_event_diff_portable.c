/* The same as test_event_diff, for the scanner without SSE2. */
#define EVENT_PORTABLE
#include "event/scan.c"
#include "test_event_diff.c"
