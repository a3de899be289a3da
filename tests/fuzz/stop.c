/* stop.c - the end of a fuzz target that found a broken promise */
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

void fuzz_stop(const char *what, const char *why)
{
	fprintf(stderr, "fuzz: error: %s: %s\n", what, why);
	abort();
}
