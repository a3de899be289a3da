/*
 * statement.h - the text and the name of a statement for one schema
 */
#ifndef DB_CONNECTION_STATEMENT_H
#define DB_CONNECTION_STATEMENT_H

/* Bytes of a prepared statement's name with its NUL. */
#define STATEMENT_NAME_MAX 24

/* Returns `sql` with every :"schema" replaced by the quoted identifier. The caller frees it. */
char *statement_text(const char *sql, const char *schema);

/* Writes the name under which a session prepares the statement. It is derived from the two texts, so a
 * name means the same statement in every session. A pooler may hand out a session that another client
 * has used. */
void statement_name(const char *sql, const char *schema, char name[STATEMENT_NAME_MAX]);

#endif
