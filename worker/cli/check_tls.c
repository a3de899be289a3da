/*
 * check_tls.c - checks whether others on the network can read or change the connection to the database
 */
#include "worker/cli/check_tls.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schemas/base/text.h"

/* What libpq verified of the server. */
enum verified { VERIFIED_NOTHING, VERIFIED_CERTIFICATE, VERIFIED_NAME };

static const char *const verified_texts[] = {
	[VERIFIED_NOTHING] = "the server is not verified",
	[VERIFIED_CERTIFICATE] = "the server's certificate is verified, its name is not",
	[VERIFIED_NAME] = "the server's certificate and name are verified",
};

/* A Unix socket or a loopback address: the traffic does not leave the machine. */
static bool is_local(PGconn *conn)
{
	const char *host = PQhost(conn);

	return !host || !*host || host[0] == '/' || strcmp(host, "localhost") == 0 ||
		strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

/* The value in force of a connection parameter, "" if there is none. */
static const char *parameter(const PQconninfoOption *options, const char *keyword)
{
	for (; options && options->keyword; options++)
		if (strcmp(options->keyword, keyword) == 0 && options->val)
			return options->val;
	return "";
}

/* In the mode require, libpq verifies the certificate if it has an authority's certificate. */
static enum verified verified(const PQconninfoOption *options)
{
	const char *mode = parameter(options, "sslmode");
	const char *authority = parameter(options, "sslrootcert");

	if (strcmp(mode, "verify-full") == 0)
		return VERIFIED_NAME;
	if (strcmp(mode, "verify-ca") == 0)
		return VERIFIED_CERTIFICATE;
	return strcmp(mode, "require") == 0 && *authority && access(authority, R_OK) == 0
		? VERIFIED_CERTIFICATE
		: VERIFIED_NOTHING;
}

static char *state_in_use(PGconn *conn, const PQconninfoOption *options)
{
	const char *own = parameter(options, "sslcert");
	struct buffer text = { 0 };

	text_addf(&text, "%s, %s, sslmode %s: %s", PQsslAttribute(conn, "protocol"),
		PQsslAttribute(conn, "cipher"), parameter(options, "sslmode"),
		verified_texts[verified(options)]);
	if (*own)
		text_addf(&text, "; own certificate: %s", own);
	return text_take(&text);
}

void check_tls(struct check *check, PGconn *conn)
{
	static const char verify[] = "set postgres.ssl to true, and postgres.ssl.ca to the "
				     "authority's certificate, if you do not trust the network";
	PQconninfoOption *options = PQconninfo(conn);
	const char *mode = parameter(options, "sslmode");

	if (PQsslInUse(conn)) {
		char *state = state_in_use(conn, options);
		if (verified(options) == VERIFIED_NAME || is_local(conn))
			check_ok(check, "TLS", "%s", state);
		else
			check_note(check, "TLS", verify, "%s", state);
		free(state);
	} else if (is_local(conn)) {
		check_ok(check, "TLS",
			"not in use, sslmode %s; the connection does not leave this machine", mode);
	} else {
		check_note(check, "TLS", verify,
			"not in use, sslmode %s: others on the network can read passwords and data",
			mode);
	}
	PQconninfoFree(options);
}
