/*
 * statement.h - the text of a statement
 */
#ifndef DB_CONNECTION_STATEMENT_H
#define DB_CONNECTION_STATEMENT_H

/* `sql` with every :"schema" replaced by the quoted identifier; malloc'ed, never NULL. */
char *statement_text(const char *sql, const char *schema);

#endif
