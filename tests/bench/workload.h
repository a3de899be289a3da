/*
 * workload.h - the messages that both sides of the saveMessages figure save
 *
 * Message i is the same on every call and in every program: id (a random-looking UUID, as
 * Mastra makes them), thread i % threads, and some 500 bytes of content in format 2.
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <stdint.h>

/* 2026-01-01: fixed, so that all runs write the same rows. */
#define WORKLOAD_FIRST_MS INT64_C(1767225600000)

/* Size of the content, including the terminating zero. */
#define WORKLOAD_CONTENT 640

struct workload_message {
	char id[37];
	char thread_id[32];
	char resource_id[32];
	char content[WORKLOAD_CONTENT];
	int content_size;
	int64_t created_ms;
};

/* A bijection that looks random: two numbers never give the same result. */
uint64_t workload_mix(uint64_t x);

void workload_thread_id(char out[32], unsigned thread);
void workload_resource_id(char out[32], unsigned thread);
void workload_message(struct workload_message *out, uint64_t i, unsigned threads);

#endif
