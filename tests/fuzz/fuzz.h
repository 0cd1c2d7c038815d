/* fuzz: what a fuzzer offers to libFuzzer and to tests/fuzz/replay.c. */
#ifndef FUZZ_H
#define FUZZ_H
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
