/*
 * lines.c - reads lines from a file descriptor
 */
#include "worker/cli/lines.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schemas/base/alloc.h"

#define READ_SIZE 65536

struct lines lines_of(int fd)
{
	return (struct lines){ .fd = fd };
}

void lines_free(struct lines *lines)
{
	free(lines->bytes);
}

char *lines_next(struct lines *lines)
{
	size_t left = lines->used - lines->taken;

	if (left == 0) /* perhaps without any bytes yet */
		return NULL;
	char *start = lines->bytes + lines->taken;
	char *end = left > lines->looked ? memchr(start + lines->looked, '\n', left - lines->looked)
					 : NULL;

	lines->looked = left;
	if (!end && !lines->ended)
		return NULL;
	/* The last line may lack its line end. lines_fill leaves room for the NUL. */
	if (!end)
		end = start + left;
	*end = '\0';
	lines->taken += (size_t)(end - start) + (end < lines->bytes + lines->used);
	lines->looked = 0;
	return start;
}

/* Moves the unread bytes to the front and makes room after them. */
static void lines_make_room(struct lines *lines)
{
	lines->used -= lines->taken;
	if (lines->used)
		memmove(lines->bytes, lines->bytes + lines->taken, lines->used);
	lines->taken = 0;
	if (lines->size - lines->used > READ_SIZE)
		return;
	lines->size = lines->size * 2 + READ_SIZE + 1;
	lines->bytes = alloc_grow(lines->bytes, lines->size, 1);
}

bool lines_fill(struct lines *lines, int wait_ms)
{
	struct pollfd waiting = { .fd = lines->fd, .events = POLLIN };
	ssize_t got;

	if (lines->ended || poll(&waiting, 1, wait_ms) <= 0)
		return true;
	lines_make_room(lines);
	got = read(lines->fd, lines->bytes + lines->used, lines->size - lines->used - 1);
	if (got < 0)
		return errno == EINTR || errno == EAGAIN;
	lines->used += (size_t)got;
	lines->ended = got == 0;
	return true;
}
