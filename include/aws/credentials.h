// SPDX-License-Identifier: MIT
/* Who signs. A credentials_source is where credentials come from: one file for each kind of
 * source, all behind this interface. All in the main thread; nothing here blocks. */
#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "base/span.h"

#include <stdbool.h>

/* Spans belong to the source and are valid until its next `renew`. */
struct credentials {
    struct span access_key_id;
    struct span secret_access_key;
    struct span session_token; /* empty for a long-lived key */
};

struct credentials_source {
    /* Credentials to sign with now. Fails with ERR_UNAVAILABLE when there are none at
     * the moment; the message names what is missing, never a value. */
    bool (*current)(struct credentials_source *self, struct credentials *ret, struct error *err);

    /* The service says that they are expired or unknown: read every place anew. */
    void (*renew)(struct credentials_source *self);
};

MUST_CHECK static inline bool credentials_current(struct credentials_source *source,
                                                  struct credentials *ret, struct error *err) {
    return source->current(source, ret, err);
}

static inline void credentials_renew(struct credentials_source *source) { source->renew(source); }
