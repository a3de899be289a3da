/* ddl_name.c - names of objects in a schema: prefix, lower case, and the hash of a long name */
#include <criterion/criterion.h>
#include <string.h>

#include "db/migrate/ddl_name.h"

#define INDEX "mastra_workflow_snapshot_threadid_idx"
#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const char *ddl_name_made(enum ddl_naming naming, const char *schema, const char *base)
{
	static struct ddl_name name;
	return ddl_name_make(naming, schema, base, &name) ? name.text : NULL;
}

Test(ddl_name, public_has_no_prefix)
{
	cr_assert_str_eq(ddl_name_made(DDL_PREFIXED, "public", INDEX), INDEX);
	cr_assert_str_eq(ddl_name_made(DDL_HASHED, "public", INDEX), INDEX);
	cr_assert_str_eq(ddl_name_made(DDL_CONSTRAINED, "public", "Key"), "public_key");
}

Test(ddl_name, schema_is_the_prefix)
{
	cr_assert_str_eq(ddl_name_made(DDL_FIXED, "Acme-1", INDEX), INDEX);
	cr_assert_str_eq(ddl_name_made(DDL_PREFIXED, "Acme-1", "a_idx"), "Acme_1_a_idx");
	cr_assert_str_eq(ddl_name_made(DDL_LOWERED, "Acme-1", "a_idx"), "acme-1_a_idx");
}

Test(ddl_name, long_name_is_skipped_cut_or_hashed)
{
	const char *schema = "Tenant_" X50;
	cr_assert_null(ddl_name_made(DDL_PREFIXED, schema, INDEX));
	cr_assert_str_eq(ddl_name_made(DDL_LOWERED, schema, INDEX), "tenant_" X50 "_mastr");
	cr_assert_str_eq(ddl_name_made(DDL_HASHED, schema, INDEX),
		"tenant_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_a0dac98a");
}

/* The digits are the SHA-256 of the full name in UTF-8, as Python's hashlib computes it. */
Test(ddl_name, hash_is_of_the_lower_case_bytes)
{
	cr_assert_str_eq(ddl_name_made(DDL_HASHED, "ÉÉÉÉÉÉÉÉÉÉÉÉÉÉÉÉÉÉÉÉÉÉÉÉÉÉx", INDEX),
		"ééééééééééééééééééééééééééx__d920618c");
}
