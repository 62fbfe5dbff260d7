// SPDX-License-Identifier: MIT
/* Groups of records that tests write and compare. */
#pragma once

#include "pipeline/record_group.h"

enum { GROUP_CEILING = 1 << 20, GROUP_RECORDS_MAX = 500 };

/* `count` records, each of its own text and key: data "r-<seed>-<index> …" of `length` bytes at
 * least, one event more than its index, of 10 bytes each. */
struct record_group group_make(unsigned seed, unsigned count, unsigned length);

void group_expect_same(const struct record_group *a, const struct record_group *b);
