/* read_rights.c - tests of when a right is missing, and when that is over */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "worker/kafka/read_rights.h"

static struct log *logger;
static struct read_rights *rights;
static char why[256];

static void make(void)
{
	logger = log_new(LOG_ERROR, LOG_LOGFMT, STDERR_FILENO);
	rights = read_rights_new("workers", logger);
}

static void drop(void)
{
	read_rights_free(rights);
	log_free(logger);
}

TestSuite(read_rights, .init = make, .fini = drop);

static bool lack(const char *text)
{
	return read_rights_lack(rights, why, sizeof(why)) && strstr(why, text);
}

Test(read_rights, a_suspect_is_asked_about_and_is_not_missing_yet)
{
	read_rights_suspect(rights, "a");
	read_rights_suspect(rights, "b");
	read_rights_suspect(rights, "a");
	cr_assert_str_eq(read_rights_at(rights, 0), "a");
	cr_assert_str_eq(read_rights_at(rights, 1), "b");
	cr_assert_null(read_rights_at(rights, 2));
	cr_assert_not(read_rights_lack(rights, why, sizeof(why)));
}

Test(read_rights, a_right_is_missing_until_brokers_agree_that_it_is_not)
{
	read_rights_answer(rights, "b", NULL);
	cr_assert_null(read_rights_at(rights, 0));
	read_rights_answer(rights, "a", "Describe");
	cr_assert(lack("right to describe a "));
	read_rights_answer(rights, "a", "Read");
	cr_assert(lack("right to read a "));
	read_rights_answer(rights, "a", NULL);
	read_rights_answer(rights, "a", NULL);
	read_rights_answer(rights, "a", "Read");
	read_rights_answer(rights, "a", NULL);
	read_rights_answer(rights, "a", NULL);
	cr_assert(lack("right to read a "), "one broker did not know yet");
	read_rights_answer(rights, "a", NULL);
	cr_assert_not(read_rights_lack(rights, why, sizeof(why)));
	cr_assert_null(read_rights_at(rights, 0));
}

Test(read_rights, the_group_refuses_until_it_accepts)
{
	read_rights_group(rights, false);
	cr_assert_not(read_rights_lack(rights, why, sizeof(why)));
	read_rights_group(rights, true);
	cr_assert(lack("the group workers "));
	read_rights_group(rights, false);
	cr_assert_not(read_rights_lack(rights, why, sizeof(why)));
}
