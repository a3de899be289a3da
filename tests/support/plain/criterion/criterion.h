/*
 * criterion.h - stands in for Criterion in the preset tsan, where Criterion's own runner aborts
 *
 * Defines the part of Criterion that the unit tests use, with a main. Each test runs in a process of
 * its own, one after another. A test fails if an assertion fails, if it ends by another signal than
 * its .signal, or if ThreadSanitizer ends it. The last line has Criterion's form, which tests/run reads.
 */
#ifndef TESTS_SUPPORT_PLAIN_CRITERION_CRITERION_H
#define TESTS_SUPPORT_PLAIN_CRITERION_CRITERION_H

#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

struct plain_options {
	void (*init)(void);
	void (*fini)(void);
	int signal;     /* the test has to end by it; 0: it has to end by itself */
	double timeout; /* seconds; 0: none */
};

struct plain_test {
	const char *suite, *name;
	void (*run)(void);
	struct plain_options options;
	struct plain_test *next;
};

/* run is NULL in a suite's element. */
static struct plain_test *plain_suites, *plain_tests;
static bool plain_has_failed; /* in a test's own process */

static inline void plain_add(struct plain_test **list, struct plain_test *test)
{
	while (*list)
		list = &(*list)->next;
	*list = test;
}

#define TestSuite(Suite, ...) \
	__attribute__((constructor)) static void plain_suite_##Suite(void) \
	{ \
		static struct plain_test suite = { #Suite, NULL, NULL, { __VA_ARGS__ }, NULL }; \
		plain_add(&plain_suites, &suite); \
	} \
	struct plain_test

#define Test(Suite, Name, ...) \
	static void plain_run_##Suite##_##Name(void); \
	__attribute__((constructor)) static void plain_add_##Suite##_##Name(void) \
	{ \
		static struct plain_test test = { #Suite, #Name, plain_run_##Suite##_##Name, \
			{ __VA_ARGS__ }, NULL }; \
		plain_add(&plain_tests, &test); \
	} \
	static void plain_run_##Suite##_##Name(void)

__attribute__((format(printf, 4, 5))) static inline void plain_check_failed(const char *file,
	int line, const char *condition, const char *format, ...)
{
	va_list arguments;
	plain_has_failed = true;
	fprintf(stderr, "[----] %s:%d: Assertion failed: %s:", file, line, condition);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

static const struct plain_test *plain_suite_of(const struct plain_test *test)
{
	const struct plain_test *suite = plain_suites;
	while (suite && strcmp(suite->suite, test->suite) != 0)
		suite = suite->next;
	return suite;
}

/* In the test's own process. */
static void plain_run(const struct plain_test *test)
{
	const struct plain_test *suite = plain_suite_of(test);
	double timeout = test->options.timeout;
	if (timeout == 0 && suite)
		timeout = suite->options.timeout;
	alarm((unsigned)timeout);
	if (suite && suite->options.init)
		suite->options.init();
	if (test->options.init)
		test->options.init();
	test->run();
	if (test->options.fini)
		test->options.fini();
	if (suite && suite->options.fini)
		suite->options.fini();
	exit(plain_has_failed);
}

static bool plain_passes(const struct plain_test *test)
{
	int status = 0;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		plain_run(test);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return false;
	if (test->options.signal)
		return WIFSIGNALED(status) && WTERMSIG(status) == test->options.signal;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(void)
{
	int passing = 0, failing = 0;
	for (const struct plain_test *test = plain_tests; test; test = test->next) {
		if (plain_passes(test)) {
			passing++;
			continue;
		}
		failing++;
		printf("[FAIL] %s::%s\n", test->suite, test->name);
	}
	printf("[====] Synthesis: Tested: %d | Passing: %d | Failing: %d | Crashing: 0\n",
		passing + failing, passing, failing);
	return failing > 0;
}

/* The message of an assertion is a literal format, or left out. */
#define PLAIN_EXPECT(Condition, Text, ...) \
	do { \
		if (!(Condition)) \
			plain_check_failed(__FILE__, __LINE__, Text, " " __VA_ARGS__); \
	} while (0)
#define PLAIN_ASSERT(Condition, Text, ...) \
	do { \
		if (!(Condition)) { \
			plain_check_failed(__FILE__, __LINE__, Text, " " __VA_ARGS__); \
			exit(1); \
		} \
	} while (0)

#define cr_assert(A, ...) PLAIN_ASSERT((A), "" #A, __VA_ARGS__)
#define cr_assert_not(A, ...) PLAIN_ASSERT(!(A), "not " #A, __VA_ARGS__)
#define cr_assert_null(A, ...) PLAIN_ASSERT((A) == NULL, "null " #A, __VA_ARGS__)
#define cr_assert_not_null(A, ...) PLAIN_ASSERT((A) != NULL, "not_null " #A, __VA_ARGS__)
#define cr_assert_str_empty(A, ...) PLAIN_ASSERT(*(A) == 0, "str_empty " #A, __VA_ARGS__)
#define cr_assert_eq(A, B, ...) PLAIN_ASSERT((A) == (B), #A " eq " #B, __VA_ARGS__)
#define cr_assert_neq(A, B, ...) PLAIN_ASSERT((A) != (B), #A " neq " #B, __VA_ARGS__)
#define cr_assert_lt(A, B, ...) PLAIN_ASSERT((A) < (B), #A " lt " #B, __VA_ARGS__)
#define cr_assert_leq(A, B, ...) PLAIN_ASSERT((A) <= (B), #A " leq " #B, __VA_ARGS__)
#define cr_assert_gt(A, B, ...) PLAIN_ASSERT((A) > (B), #A " gt " #B, __VA_ARGS__)
#define cr_assert_geq(A, B, ...) PLAIN_ASSERT((A) >= (B), #A " geq " #B, __VA_ARGS__)
#define cr_assert_str_eq(A, B, ...) \
	PLAIN_ASSERT(strcmp((A), (B)) == 0, #A " str_eq " #B, __VA_ARGS__)
#define cr_assert_str_neq(A, B, ...) \
	PLAIN_ASSERT(strcmp((A), (B)) != 0, #A " str_neq " #B, __VA_ARGS__)
#define cr_assert_arr_eq(A, B, Size, ...) \
	PLAIN_ASSERT(memcmp((A), (B), (Size)) == 0, #A " arr_eq " #B, __VA_ARGS__)
#define cr_assert_float_eq(A, B, Near, ...) \
	PLAIN_ASSERT(fabs((double)(A) - (double)(B)) <= (Near), #A " float_eq " #B, __VA_ARGS__)

#define cr_expect(A, ...) PLAIN_EXPECT((A), "" #A, __VA_ARGS__)
#define cr_expect_not(A, ...) PLAIN_EXPECT(!(A), "not " #A, __VA_ARGS__)
#define cr_expect_null(A, ...) PLAIN_EXPECT((A) == NULL, "null " #A, __VA_ARGS__)
#define cr_expect_not_null(A, ...) PLAIN_EXPECT((A) != NULL, "not_null " #A, __VA_ARGS__)
#define cr_expect_str_empty(A, ...) PLAIN_EXPECT(*(A) == 0, "str_empty " #A, __VA_ARGS__)
#define cr_expect_eq(A, B, ...) PLAIN_EXPECT((A) == (B), #A " eq " #B, __VA_ARGS__)
#define cr_expect_neq(A, B, ...) PLAIN_EXPECT((A) != (B), #A " neq " #B, __VA_ARGS__)
#define cr_expect_lt(A, B, ...) PLAIN_EXPECT((A) < (B), #A " lt " #B, __VA_ARGS__)
#define cr_expect_leq(A, B, ...) PLAIN_EXPECT((A) <= (B), #A " leq " #B, __VA_ARGS__)
#define cr_expect_gt(A, B, ...) PLAIN_EXPECT((A) > (B), #A " gt " #B, __VA_ARGS__)
#define cr_expect_geq(A, B, ...) PLAIN_EXPECT((A) >= (B), #A " geq " #B, __VA_ARGS__)
#define cr_expect_str_eq(A, B, ...) \
	PLAIN_EXPECT(strcmp((A), (B)) == 0, #A " str_eq " #B, __VA_ARGS__)
#define cr_expect_str_neq(A, B, ...) \
	PLAIN_EXPECT(strcmp((A), (B)) != 0, #A " str_neq " #B, __VA_ARGS__)
#define cr_expect_arr_eq(A, B, Size, ...) \
	PLAIN_EXPECT(memcmp((A), (B), (Size)) == 0, #A " arr_eq " #B, __VA_ARGS__)
#define cr_expect_float_eq(A, B, Near, ...) \
	PLAIN_EXPECT(fabs((double)(A) - (double)(B)) <= (Near), #A " float_eq " #B, __VA_ARGS__)

#endif
