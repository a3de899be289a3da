/*
 * fuzz.h - what every fuzz target is
 *
 * A target is a file of this folder with LLVMFuzzerTestOneInput: it gives the bytes to the code under test
 * and aborts if a promise of that code is broken. With clang's libFuzzer (preset fuzz) it looks for new
 * inputs; else replay.c runs it on the files of its corpus and on damaged copies of them.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Ends the program: a promise is broken. */
_Noreturn void fuzz_stop(const char *what, const char *why);

#endif
