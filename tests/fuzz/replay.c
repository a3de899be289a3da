/* replay.c - main of a fuzz target as a plain test: runs the given files and damaged copies of them */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/random_datum.h"

#define FILE_MAXIMUM ((size_t)1024 * 1024)
#define DAMAGES_PER_FILE 500
#define ROOM 16 /* that random_damage needs */

/* Copies the bytes to a block of exactly their size, so that AddressSanitizer detects overruns. */
static void run_exactly(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = allocate(size ? size : 1);
	if (size)
		memcpy(copy, bytes, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void run_file(const char *path, uint64_t seed)
{
	uint8_t *bytes = allocate(FILE_MAXIMUM + ROOM), *damaged = allocate(FILE_MAXIMUM + ROOM);
	struct random random = random_seed(seed);
	FILE *file = fopen(path, "rbe");
	if (!file)
		fuzz_stop(path, "can't be opened");
	size_t size = fread(bytes, 1, FILE_MAXIMUM, file);
	fclose(file);
	run_exactly(bytes, size);
	for (int i = 0; i < DAMAGES_PER_FILE; i++) {
		size_t left = size;
		memcpy(damaged, bytes, size);
		random_damage(&random, damaged, &left);
		run_exactly(damaged, left);
	}
	free(bytes);
	free(damaged);
}

int main(int count, char **arguments)
{
	for (int i = 1; i < count; i++)
		run_file(arguments[i], (uint64_t)i);
	/* Printed only if all passed. tests/run counts tests by this line. */
	printf("[====] Synthesis: Tested: %d | Passing: %d | Failing: 0 | Crashing: 0\n", count - 1,
		count - 1);
	return 0;
}
