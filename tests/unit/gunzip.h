// SPDX-License-Identifier: MIT
/* Reads gzip members as RFC 1952 has them, so that tests see what a consumer sees. */
#pragma once

#include "base/buf.h"

/* The content of one gzip member without optional fields; header, length and checksum are
 * asserted. The caller buf_done()s it. */
struct buf gunzip(struct span member);
