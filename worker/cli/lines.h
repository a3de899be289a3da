/*
 * lines.h - reads lines from a file descriptor without blocking
 *
 * getline would block, and `stowage send` must print replies while it waits for a line. One thread.
 */
#ifndef WORKER_CLI_LINES_H
#define WORKER_CLI_LINES_H

#include <stdbool.h>
#include <stddef.h>

struct lines {
	int fd;
	char *bytes;
	size_t used, size;
	size_t taken;  /* bytes of lines already returned */
	size_t looked; /* bytes after `taken` that contain no line end */
	bool ended;    /* end of file */
};

struct lines lines_of(int fd);
void lines_free(struct lines *lines);

/* The next line without its line end, NULL if none is complete yet. Valid until the next call. */
char *lines_next(struct lines *lines);
/* Reads available bytes after waiting up to wait_ms for them (-1: no limit). Returns false and sets
 * errno if reading fails. */
bool lines_fill(struct lines *lines, int wait_ms) __attribute__((warn_unused_result));

#endif
