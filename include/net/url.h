// SPDX-License-Identifier: MIT
/* The parts of a URL that somebody wrote into a setting: an endpoint, a proxy. Pure; allocates
 * nothing. */
#pragma once

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>

/* Spans into the text. One that is not there is empty and has a NULL pointer, "" where it is there
 * and empty. */
struct url {
    struct span scheme;    /* as it was written; without "://" there is none */
    struct span user_info; /* what is before "@": a secret */
    struct span host;      /* an IPv6 address with its brackets */
    struct span port;      /* 1 to 65535 */
    struct span path;      /* from its first slash */
    struct span query;     /* behind "?" */
};

/* Takes [scheme://][user-info@]host[:port][/path][?query] apart. False, with *ret untouched, for
 * anything else: blanks, bytes beyond ASCII, a fragment. Which schemes and parts are welcome is the
 * caller's business. */
MUST_CHECK bool url_split(struct span text, struct url *ret);
