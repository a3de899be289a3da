/*
 * statement.h - the text of a statement for one schema
 */
#ifndef DB_CONNECTION_STATEMENT_H
#define DB_CONNECTION_STATEMENT_H

/* Returns `sql` with every :"schema" replaced by the quoted identifier. The caller frees it. */
char *statement_text(const char *sql, const char *schema);

#endif
