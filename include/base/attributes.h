// SPDX-License-Identifier: MIT
/* Compiler attributes under the names that this code base uses. */
#pragma once

/* The caller must look at the result. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* Arguments are checked like printf's. Both arguments count from 1. */
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

/* Runs `done(&variable)` when the variable goes out of scope. */
#define CLEANUP(done) __attribute__((cleanup(done)))
