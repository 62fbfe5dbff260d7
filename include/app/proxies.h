// SPDX-License-Identifier: MIT
/* The proxies that the environment's variables name, as curl and the AWS SDKs read them. Pure. */
#pragma once

#include "base/buf.h"
#include "net/http_client.h"

/* From https_proxy, http_proxy, all_proxy and no_proxy, or the same in capitals. Values point into
 * the environment. What cannot be a proxy is left out and told of in *mistakes, a line for each,
 * without the value, which may hold a password. */
struct http_proxies proxies_read(char *const *environment, struct buf *mistakes);
