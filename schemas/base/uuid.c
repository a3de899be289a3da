/* uuid.c - creates ids in the format of crypto.randomUUID() */
#include "schemas/base/uuid.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void uuid_v4(char out[UUID_TEXT_SIZE])
{
	unsigned char b[16];

	/* getrandom(2) does not cut requests of up to 256 bytes short. */
	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		abort();
	b[6] = (unsigned char)(0x40 | (b[6] & 0x0F));
	b[8] = (unsigned char)(0x80 | (b[8] & 0x3F));
	snprintf(out, UUID_TEXT_SIZE,
		"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		b[15]);
}
