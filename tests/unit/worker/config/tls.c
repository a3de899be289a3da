/*
 * tls.c - tests of postgres.ssl as a group
 */
#include <sys/stat.h>

#include "tests/support/config_text.h"
#include "worker/config/conninfo.h"

TestSuite(tls, .init = forget_stack, .fini = free_errors);

/* The last value of the keyword among the parameters for libpq, "" if there is none. */
static const char *parameter(const struct config_conninfo *info, const char *keyword)
{
	const char *found = "";

	for (size_t i = 0; info->keywords[i]; i++)
		if (strcmp(info->keywords[i], keyword) == 0)
			found = info->values[i];
	return found;
}

/* Expects this member of `postgres` to be loaded, and to make these parameters of libpq. */
static void means(const char *member, const char *mode, const char *ca, const char *cert,
	const char *key)
{
	char text[400];
	struct config *config;
	struct config_conninfo info;

	snprintf(text, sizeof(text), "postgres: { %s };", member);
	config = load(text);
	cr_assert_not_null(config, "%s: %s", member, errors);
	info = config_conninfo(config);
	cr_expect_str_eq(parameter(&info, "sslmode"), mode, "%s: sslmode %s", member,
		parameter(&info, "sslmode"));
	cr_expect_str_eq(parameter(&info, "sslrootcert"), ca, "%s: sslrootcert", member);
	cr_expect_str_eq(parameter(&info, "sslcert"), cert, "%s: sslcert", member);
	cr_expect_str_eq(parameter(&info, "sslkey"), key, "%s: sslkey", member);
	config_conninfo_free(&info);
	config_free(config);
}

#define FILE_A "/etc/passwd"
#define FILE_B "/etc/group"
#define NO_AUTHORITY "/dev/null/none"

Test(tls, a_group_chooses_mode_and_files)
{
	means("ssl = { };", "verify-full", "", "", "");
	means("ssl = { rejectUnauthorized = true; };", "verify-full", "", "", "");
	means("ssl = { rejectUnauthorized = false; };", "require", NO_AUTHORITY, "", "");
	means("ssl = { ca = \"" FILE_A "\"; };", "verify-full", FILE_A, "", "");
	means("ssl = { ca = \"" FILE_A "\"; cert = \"" FILE_A "\"; key = \"" FILE_B "\"; };",
		"verify-full", FILE_A, FILE_A, FILE_B);
	means("ssl = { rejectUnauthorized = false; cert = \"" FILE_A "\"; key = \"" FILE_B "\"; };",
		"require", NO_AUTHORITY, FILE_A, FILE_B);
	means("ssl = \"verify-ca\";", "verify-ca", "", "", "");
	means("", "", "", "", "");
}

Test(tls, the_connection_string_may_say_the_same)
{
	means("ssl = true; connectionString = \"host=h sslmode=verify-full\";", "verify-full", "",
		"", "");
	means("ssl = { ca = \"" FILE_A "\"; }; connectionString = "
	      "\"postgresql://h/d?sslmode=verify-full&sslrootcert=" FILE_A "\";",
		"verify-full", FILE_A, "", "");
	means("ssl = { rejectUnauthorized = false; }; connectionString = "
	      "\"postgresql://h/d?sslmode=require\";",
		"require", NO_AUTHORITY, "", "");
}

static const struct {
	const char *member; /* of postgres */
	const char *where;
	const char *reason;
} wrong[] = {
	{ "ssl = true; connectionString = \"sslmode=require\";", "postgres.ssl",
		"contradicts sslmode=require in postgres.connectionString" },
	{ "ssl = false; connectionString = \"postgresql://h/d?sslmode=verify-full\";",
		"postgres.ssl", "contradicts sslmode=verify-full" },
	{ "ssl = { }; connectionString = \"sslmode=disable\";", "postgres.ssl",
		"contradicts sslmode=disable" },
	{ "ssl = { rejectUnauthorized = false; }; connectionString = \"sslmode=verify-full\";",
		"postgres.ssl", "contradicts sslmode=verify-full" },
	{ "ssl = { rejectUnauthorized = false; }; connectionString = \"sslrootcert=/x\";",
		"postgres.ssl.rejectUnauthorized", "contradicts sslrootcert=/x" },
	{ "ssl = { ca = \"" FILE_A "\"; }; connectionString = \"sslrootcert=/x\";",
		"postgres.ssl.ca", "contradicts sslrootcert=/x" },
	{ "ssl = { cert = \"" FILE_A "\"; key = \"" FILE_A "\"; }; connectionString = "
	  "\"sslcert=/x sslkey=/y\";",
		"postgres.ssl.key", "contradicts sslkey=/y" },
	{ "ssl = { rejectUnauthorized = false; ca = \"" FILE_A "\"; };", "postgres.ssl.ca",
		"has no use: the mode require does not verify the server" },
	{ "ssl = { cert = \"" FILE_A "\"; };", "postgres.ssl.cert", "needs postgres.ssl.key too" },
	{ "ssl = { key = \"" FILE_A "\"; };", "postgres.ssl.key", "needs postgres.ssl.cert too" },
	{ "ssl = { ca = \"/nonexistent\"; };", "postgres.ssl.ca", "cannot be read: No such file" },
	{ "ssl = { rejectUnautorized = true; };", "postgres.ssl.rejectUnautorized",
		"did you mean postgres.ssl.rejectUnauthorized?" },
	{ "ssl = { rejectUnauthorized = 1; };", "postgres.ssl.rejectUnauthorized", "must be" },
	{ "ssl = { ca = true; };", "postgres.ssl.ca", "must be a text" },
	{ "ssl = 3;", "postgres.ssl", "must be" },
	{ "host = { ca = \"x\"; };", "postgres.host", "must be a text" },
};

Test(tls, every_contradiction_is_reported)
{
	char text[400];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text), "postgres: { %s };", wrong[i].member);
		fails(text, wrong[i].where, wrong[i].reason);
	}
}

Test(tls, of_the_environment)
{
	struct config *config;

	setenv("STOWAGE_POSTGRES_SSL_REJECT_UNAUTHORIZED", "false", 1);
	means("", "require", NO_AUTHORITY, "", "");
	means("ssl = { };", "require", NO_AUTHORITY, "", "");
	fails("postgres: { ssl = true; };", "STOWAGE_POSTGRES_SSL_REJECT_UNAUTHORIZED",
		"false means require, but postgres.ssl");
	unsetenv("STOWAGE_POSTGRES_SSL_REJECT_UNAUTHORIZED");
	setenv("STOWAGE_POSTGRES_SSL_CA", FILE_A, 1);
	means("ssl = \"verify-ca\";", "verify-ca", FILE_A, "", "");
	means("", "verify-full", FILE_A, "", "");
	fails("postgres: { ssl = false; };", "STOWAGE_POSTGRES_SSL_CA", "has no use");
	setenv("STOWAGE_POSTGRES_SSL", "verify-ca", 1);
	config = load("postgres: { ssl = { }; };");
	cr_assert_not_null(config, "%s", errors);
	cr_assert_str_eq(config->postgres.ssl, "verify-ca", "the environment overrides the file");
	config_free(config);
}

/* libpq opens a file by its name, and refuses a key that others may read. */
Test(tls, pem_text_becomes_a_file_of_the_process)
{
	static const char pem[] =
		"-----BEGIN PRIVATE KEY-----\\nabc\\n-----END PRIVATE KEY-----\\n";
	char text[400], read[100] = "";
	struct config *config;
	struct stat stat_of;
	FILE *file;

	snprintf(text, sizeof(text),
		"postgres: { ssl = { cert = \"" FILE_A "\"; key = \"%s\"; }; };", pem);
	config = load(text);
	cr_assert_not_null(config, "%s", errors);
	file = fopen(config->postgres.ssl_files[2], "re");
	cr_assert_not_null(file);
	cr_assert_eq(fread(read, 1, sizeof(read) - 1, file), strlen(pem) - 3);
	cr_assert(fstat(fileno(file), &stat_of) == 0 && S_ISREG(stat_of.st_mode));
	cr_assert_eq(stat_of.st_mode & 0777, 0600);
	cr_assert_str_eq(read, config->postgres.ssl_key);
	fclose(file);
	config_free(config);
}
