/*
 * catalog.h - the catalog that all workers of the simulation share
 */
#ifndef TESTS_MODEL_CATALOG_H
#define TESTS_MODEL_CATALOG_H

#include "schemas/catalog/catalog.h"

const struct catalog *model_catalog(void);

#endif
