/*
 * dispatch.h - from argv to the command that runs
 */
#ifndef WORKER_CLI_DISPATCH_H
#define WORKER_CLI_DISPATCH_H

/* The whole program. Returns the exit status. */
int cli_main(int argc, char **argv);

#endif
