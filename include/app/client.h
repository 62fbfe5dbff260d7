// SPDX-License-Identifier: MIT
/* The HTTP client that the configuration asks for. */
#pragma once

#include "app/config.h"
#include "base/attributes.h"
#include "base/clock.h"
#include "base/error.h"
#include "net/http_client.h"

/* As http_client_create(): NULL on failure; belongs to the caller. `clock` must outlive it. */
MUST_CHECK struct http_client *client_create(const struct config *config, const struct clock *clock,
                                             struct error *err);
