// SPDX-License-Identifier: MIT
/* Who signs. A credentials_source is where credentials come from: one file for each kind of
 * source, all behind this interface. All in the main thread; nothing here blocks: where they have
 * to be fetched first, the one who needs them waits in a list and is woken. */
#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "base/span.h"

#include <stdbool.h>

/* Spans belong to the source and are valid until control returns to the event loop. */
struct credentials {
    struct span access_key_id;
    struct span secret_access_key;
    struct span session_token; /* empty for a long-lived key */
};

/* Somebody who waits for credentials. Must stay in place until woken or taken out. With `wake` set
 * and the rest zeroed it waits for nothing. */
struct credentials_waiter {
    void (*wake)(struct credentials_waiter *self); /* may wait again, and take others out */
    struct credentials_waiter *next;
    struct credentials_waiter **link; /* what points here; NULL while it does not wait */
};

enum credentials_answer {
    CREDENTIALS_READY,
    CREDENTIALS_PENDING, /* being fetched: the waiter is woken when that has ended, well or not */
    CREDENTIALS_NONE,    /* and *err says why */
};

struct credentials_source {
    /* Credentials to sign with now. `waiter` may be NULL, to have the fetching begun only. The
     * error is ERR_INVALID or ERR_REFUSED when somebody has to mend something, anything else may
     * pass; its message names what is missing, never a value. */
    enum credentials_answer (*current)(struct credentials_source *self, struct credentials *ret,
                                       struct credentials_waiter *waiter, struct error *err);

    /* The service says that they are expired or unknown: not to be used again, if there are others
     * to be had. */
    void (*renew)(struct credentials_source *self);
};

MUST_CHECK static inline enum credentials_answer
credentials_current(struct credentials_source *source, struct credentials *ret,
                    struct credentials_waiter *waiter, struct error *err) {
    return source->current(source, ret, waiter, err);
}

static inline void credentials_renew(struct credentials_source *source) { source->renew(source); }

/* Puts the waiter at the end of the list, unless it waits already. The lists are short: as long as
 * there are requests in flight. */
void credentials_wait(struct credentials_waiter **list, struct credentials_waiter *waiter);

/* Takes it out. Does nothing when it does not wait. */
void credentials_stop_waiting(struct credentials_waiter *waiter);

/* Wakes each one that waits now, once, in the order in which they came. */
void credentials_wake_all(struct credentials_waiter **list);
