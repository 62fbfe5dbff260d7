// SPDX-License-Identifier: MIT
/* Where this process gets its credentials from: the container endpoint if there is one, else the
 * variables. The endpoint goes first because what it gives is renewed, which the variables of a
 * running process never are; if it fails, the variables are better than nothing. What comes of
 * that either signs itself, or is exchanged for the credentials of another role. */
#pragma once

#include "aws/credentials_cache.h"
#include "aws/credentials_container.h"
#include "aws/credentials_environment.h"
#include "aws/credentials_role.h"

struct credentials_settings {
    struct credentials environment;
    struct container_settings container;
    struct role_settings role;
};

struct credentials_chain {
    struct credentials_source own; /* first, so that a pointer to it is a pointer to this */
    struct credentials_environment environment;
    bool has_container;
    struct credentials_container container;
    struct credentials_cache from_container;
    bool has_role;
    struct credentials_role role;
    struct credentials_cache from_role;
};

/* Everything pointed to, spans too, must outlive this, and this must stay in place. Fetches nothing
 * yet. */
void credentials_chain_init(struct credentials_chain *chain,
                            const struct credentials_settings *settings, struct http_client *http,
                            const struct clock *clock);

/* What signs for the destination; belongs to *chain. */
struct credentials_source *credentials_chain_source(struct credentials_chain *chain);

/* What is being fetched is fetched anew: the answers will not come. */
void credentials_chain_interrupt(struct credentials_chain *chain);

/* Nobody may wait any more. A zeroed chain is fine; may run twice. */
void credentials_chain_done(struct credentials_chain *chain);
