/* workload.c - generates the messages of the saveMessages figure */
#include "workload.h"

#include <stdio.h>

uint64_t workload_mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

void workload_thread_id(char out[32], unsigned thread)
{
	snprintf(out, 32, "bench-thread-%06u", thread);
}

void workload_resource_id(char out[32], unsigned thread)
{
	snprintf(out, 32, "bench-resource-%06u", thread / 10);
}

void workload_message(struct workload_message *out, uint64_t i, unsigned threads)
{
	static const char text[] =
		"The quick brown fox jumps over the lazy dog, and the five boxing wizards jump quickly "
		"past the sphinx of black quartz, who judges their vow in silence while the night is "
		"young, the tea is hot and nobody has anything better to do than to count letters.";
	uint64_t high = workload_mix(i), low = workload_mix(~i);
	unsigned thread = (unsigned)(i % threads);

	snprintf(out->id, sizeof out->id, "%08x-%04x-4%03x-a%03x-%012llx", (unsigned)(high >> 32),
		(unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xfff), (unsigned)(low >> 52),
		(unsigned long long)(low & UINT64_C(0xffffffffffff)));
	workload_thread_id(out->thread_id, thread);
	workload_resource_id(out->resource_id, thread);
	out->content_size = snprintf(out->content, sizeof out->content,
		"{\"format\":2,\"parts\":[{\"type\":\"text\",\"text\":\"%016llx %s\"}],"
		"\"content\":\"%016llx %.150s\"}",
		(unsigned long long)high, text, (unsigned long long)high, text);
	out->created_ms = WORKLOAD_FIRST_MS + (int64_t)i;
}
