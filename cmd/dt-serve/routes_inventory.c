/* Inventory routes. */
#include "routes.h"

const struct route routes_inventory[] = {
	ROUTE_END
};
