/* The same as test_event, for the scanner without SSE2: its functions here take the place of the library's. */
#define EVENT_PORTABLE
#include "event/scan.c"
#include "test_event.c"
