// SPDX-License-Identifier: MIT
#include "aws/credentials_chain.h"

static enum credentials_answer current(struct credentials_source *source, struct credentials *ret,
                                       struct credentials_waiter *waiter, struct error *err) {
    struct credentials_chain *chain = (struct credentials_chain *)source;
    struct credentials_source *environment = &chain->environment.source;
    if (!chain->has_container) {
        return credentials_current(environment, ret, waiter, err);
    }
    enum credentials_answer answer =
        credentials_current(&chain->from_container.source, ret, waiter, err);
    if (answer == CREDENTIALS_NONE &&
        credentials_current(environment, ret, waiter, NULL) == CREDENTIALS_READY) {
        return CREDENTIALS_READY;
    }
    return answer;
}

static void renew(struct credentials_source *source) {
    struct credentials_chain *chain = (struct credentials_chain *)source;
    if (chain->has_container) {
        credentials_renew(&chain->from_container.source);
    }
}

void credentials_chain_init(struct credentials_chain *chain,
                            const struct credentials_settings *settings, struct http_client *http,
                            const struct clock *clock) {
    *chain = (struct credentials_chain){
        .own = {.current = current, .renew = renew},
        .has_container = container_is_wanted(&settings->container),
        .has_role = settings->role.arn.len > 0,
    };
    credentials_environment_init(&chain->environment, settings->environment);
    credentials_container_init(&chain->container, &settings->container, http);
    credentials_cache_init(&chain->from_container, &chain->container.provider, clock);
    credentials_role_init(&chain->role, &settings->role, &chain->own, http, clock);
    credentials_cache_init(&chain->from_role, &chain->role.provider, clock);
}

struct credentials_source *credentials_chain_source(struct credentials_chain *chain) {
    return chain->has_role ? &chain->from_role.source : &chain->own;
}

void credentials_chain_interrupt(struct credentials_chain *chain) {
    credentials_cache_interrupt(&chain->from_role); /* which may wait for the other */
    credentials_cache_interrupt(&chain->from_container);
}

void credentials_chain_done(struct credentials_chain *chain) {
    credentials_cache_done(&chain->from_role);
    credentials_role_done(&chain->role);
    credentials_cache_done(&chain->from_container);
}
