/* config_fuzz.c - arbitrary bytes as a configuration file: a configuration, or a line for each mistake */
#define _GNU_SOURCE /* memfd_create, memmem */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "worker/config/load.h"

/* Names a file that only this process sees. */
static int make_file(const uint8_t *bytes, size_t size, char *path, size_t path_size)
{
	int fd = memfd_create("stowage.conf", MFD_CLOEXEC);
	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		fuzz_stop("config_fuzz", "no file can be made");
	snprintf(path, path_size, "/proc/self/fd/%d", fd);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char path[64], *mistakes = NULL;
	size_t length = 0;
	/* It would read other files of this machine. */
	if (memmem(bytes, size, "@include", strlen("@include")) || memmem(bytes, size, "File", 4))
		return 0;
	int fd = make_file(bytes, size, path, sizeof(path));
	FILE *errors = open_memstream(&mistakes, &length);
	struct config *config = config_load(path, errors);
	fclose(errors);
	close(fd);
	if (!config && length == 0)
		fuzz_stop("config_load", "it fails without a reason");
	config_free(config);
	free(mistakes);
	return 0;
}
