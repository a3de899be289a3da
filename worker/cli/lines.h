/*
 * lines.h - lines of a file descriptor, taken without waiting
 *
 * Beside getline, because replies have to be printed while no line comes. One thread.
 */
#ifndef WORKER_CLI_LINES_H
#define WORKER_CLI_LINES_H

#include <stdbool.h>
#include <stddef.h>

struct lines {
	int fd;
	char *bytes;
	size_t used, size;
	size_t taken;  /* bytes of lines given out */
	size_t looked; /* bytes that hold no line end */
	bool ended;    /* nothing more comes */
};

struct lines lines_of(int fd);
void lines_free(struct lines *lines);

/* The next line without its end, NULL if none is there yet; valid until the next call. */
char *lines_next(struct lines *lines);
/* Reads what is there, waiting at most so long for something (-1: for ever). False when the
 * descriptor fails (errno). */
bool lines_fill(struct lines *lines, int wait_ms) __attribute__((warn_unused_result));

#endif
