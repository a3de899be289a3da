/*
 * arena.c - tests of schemas/base: arena.c, allowance.c, buffer.c and text.c
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#include "schemas/base/allowance.h"
#include "schemas/base/arena.h"
#include "schemas/base/buffer.h"
#include "schemas/base/text.h"

Test(arena, pieces_are_aligned_and_apart)
{
	struct arena *arena = arena_new(0);
	char *before = NULL;
	for (size_t size = 0; size < 300; size++) {
		char *piece = arena_alloc(arena, size);
		cr_assert_eq((uintptr_t)piece % alignof(max_align_t), 0);
		memset(piece, (int)size, size);
		if (before)
			for (size_t i = 0; i + 1 < size; i++)
				cr_assert_eq(before[i], (char)(size - 1));
		before = piece;
	}
	arena_free(arena);
}

Test(arena, large_pieces_and_reset)
{
	struct arena *arena = arena_new(256 * 1024);
	for (int round = 0; round < 20; round++) {
		memset(arena_alloc(arena, 10), 1, 10);
		memset(arena_alloc(arena, 1000 * 1000), 2, 1000 * 1000);
		memset(arena_alloc(arena, 60 * 1024), 3, 60 * 1024);
		cr_assert_eq(arena_used(arena), 10 + 1000 * 1000 + 60 * 1024);
		arena_reset(arena);
		cr_assert_eq(arena_used(arena), 0);
	}
	arena_free(arena);
}

Test(arena, text)
{
	struct arena *arena = arena_new(0);
	cr_assert_str_eq(arena_copy(arena, "abcdef", 3), "abc");
	cr_assert_str_eq(arena_copy(arena, NULL, 0), "");
	cr_assert_str_eq(arena_printf(arena, "%s-%d", "x", 5), "x-5");
	char *cleared = arena_calloc(arena, 100, 7);
	for (int i = 0; i < 700; i++)
		cr_assert_eq(cleared[i], 0);
	arena_free(arena);
}

/* Takes pieces of 1,000 bytes until the allowance ends. */
struct greed {
	struct arena *arena;
	struct allowance *allowance;
	size_t pieces;
};

static void take_all(void *arg)
{
	struct greed *greed = arg;
	for (;; greed->pieces++)
		memset(arena_alloc(greed->arena, 1000), 1, 1000);
}

/* The inner work ends; the outer work goes on and ends later. */
static void take_all_twice(void *arg)
{
	struct greed *outer = arg;
	struct allowance allowance = { .limit = 20000, .shared = outer->allowance };
	struct greed inner = { outer->arena, &allowance, 0 };
	cr_assert_eq(arena_charge(outer->arena, &allowance), outer->allowance);
	cr_assert_not(allowance_run(&allowance, take_all, &inner));
	arena_charge(outer->arena, outer->allowance);
	cr_assert_geq(inner.pieces, 15);
	cr_assert_not(allowance.crowded);
	take_all(outer);
}

Test(allowance, ends_the_work_that_needs_more)
{
	struct arena *arena = arena_new(0);
	struct allowance allowance = { .limit = 100000 };
	struct greed greed = { arena, &allowance, 0 };
	arena_charge(arena, &allowance);
	cr_assert_not(allowance_run(&allowance, take_all, &greed));
	cr_assert(greed.pieces >= 90 && greed.pieces <= 100, "%zu", greed.pieces);
	allowance.used = 0;
	greed.pieces = 0;
	cr_assert_not(allowance_run(&allowance, take_all_twice, &greed));
	cr_assert(greed.pieces >= 70 && greed.pieces <= 85, "%zu", greed.pieces);
	arena_charge(arena, NULL);
	arena_alloc(arena, 1000000);
	arena_free(arena);
}

static void take_more_than_there_is(void *arg)
{
	arena_alloc(arg, SIZE_MAX / 2);
}

Test(allowance, ends_the_work_that_malloc_refuses)
{
	struct arena *arena = arena_new(0);
	struct allowance allowance = { .limit = SIZE_MAX };
	arena_charge(arena, &allowance);
	cr_assert_not(allowance_run(&allowance, take_more_than_there_is, arena));
	arena_free(arena);
}

static void take_and_rewind(void *arg)
{
	struct greed *greed = arg;
	char *kept = arena_copy(greed->arena, "kept", 4);
	for (; greed->pieces < 1000; greed->pieces++) {
		struct arena_mark mark = arena_mark(greed->arena);
		for (size_t size = 1; size < 50000; size *= 3)
			memset(arena_alloc(greed->arena, size), 1, size);
		arena_rewind(greed->arena, mark);
	}
	cr_assert_str_eq(kept, "kept");
}

Test(arena, rewinding_frees_and_counts_no_longer)
{
	struct arena *arena = arena_new(0);
	struct allowance allowance = { .limit = 100000 };
	struct greed greed = { arena, &allowance, 0 };
	arena_charge(arena, &allowance);
	cr_assert(allowance_run(&allowance, take_and_rewind, &greed));
	cr_assert_eq(arena_used(arena), 5);
	cr_assert_lt(allowance.used, 100);
	arena_free(arena);
}

Test(arena, size_that_overflows_ends_the_process, .signal = SIGABRT)
{
	arena_calloc(arena_new(0), SIZE_MAX / 2, 3);
}

Test(buffer, grows_up_to_its_maximum)
{
	struct buffer buffer = buffer_empty(1000);
	for (int i = 0; i < 100; i++)
		buffer_add(&buffer, "0123456789", 10);
	cr_assert_eq(buffer.size, 1000);
	cr_assert_not(buffer.failed);
	buffer_add(&buffer, "", 0);
	cr_assert_not(buffer.failed);
	buffer_add_byte(&buffer, 'x');
	cr_assert(buffer.failed);
	cr_assert_eq(buffer.size, 1000);
	cr_assert_null(buffer_extend(&buffer, 0), "a failed buffer accepts no bytes");
	buffer_clear(&buffer);
	text_add(&buffer, "again");
	cr_assert_eq(buffer.size, 5);
	cr_assert_arr_eq(buffer.data, "again", 5);
	buffer_free(&buffer);
}

Test(buffer, size_that_overflows)
{
	struct buffer buffer = buffer_empty(SIZE_MAX);
	buffer_add_byte(&buffer, 'x');
	cr_assert_null(buffer_extend(&buffer, SIZE_MAX));
	cr_assert(buffer.failed);
	buffer_free(&buffer);
}

Test(buffer, zeroed_has_no_maximum)
{
	struct buffer buffer = { 0 };
	for (int i = 0; i < 100000; i++)
		buffer_add(&buffer, "0123456789", 10);
	cr_assert_eq(buffer.size, 1000000);
	cr_assert_not(buffer.failed);
	for (size_t i = 0; i < buffer.size; i++)
		cr_assert_eq(buffer.data[i], '0' + i % 10);
	buffer_free(&buffer);
	cr_assert_not_null(buffer_extend(&buffer, 0), "zero bytes have an address, too");
	buffer_free(&buffer);
}

/* At every size, there must be memory for the NUL. */
Test(buffer, string_of_every_size)
{
	struct buffer buffer = { 0 };
	cr_assert_str_eq(text_string(&buffer), "");
	for (size_t size = 1; size < 2000; size++) {
		text_addf(&buffer, "%c", 'x');
		cr_assert_eq(buffer.size, size);
		cr_assert_eq(strlen(text_string(&buffer)), size);
	}
	char *string = text_take(&buffer);
	cr_assert_eq(strlen(string), 1999);
	cr_assert_eq(buffer.size, 0);
	free(string);
	string = text_take(&buffer);
	cr_assert_str_eq(string, "");
	free(string);
}

Test(buffer, quotes_for_sql)
{
	struct buffer buffer = { 0 };
	text_add_ident(&buffer, "a\"b");
	text_add_literal(&buffer, "it's");
	text_add_literal(&buffer, "back\\slash'");
	cr_assert_str_eq(text_string(&buffer), "\"a\"\"b\"'it''s'E'back\\\\slash'''");
	buffer_free(&buffer);
}
