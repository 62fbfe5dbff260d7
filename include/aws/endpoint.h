// SPDX-License-Identifier: MIT
/* Where an AWS service is reached in a region, in every partition.
 * Rules: https://docs.aws.amazon.com/general/latest/gr/ak.html and the partitions of the SDKs;
 * configured endpoints: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
 */
#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "base/span.h"

#include <stdbool.h>

enum { ENDPOINT_URL_BYTES = 512, ENDPOINT_HOST_BYTES = 272, ENDPOINT_REGION_BYTES = 64 };

struct endpoint_options {
    const char *service;    /* "kinesis", "sts": also the service of the signature */
    struct span region;     /* required; also the region of the signature */
    struct span custom_url; /* http(s)://host[:port][/path], or empty for the regional endpoint */
    bool use_fips;
    bool use_dual_stack;
};

struct endpoint {
    char url[ENDPOINT_URL_BYTES];       /* without a slash at the end */
    char host[ENDPOINT_HOST_BYTES];     /* as the Host header has it: a default port left out */
    char path[ENDPOINT_URL_BYTES];      /* "/" or the path of a custom URL */
    char region[ENDPOINT_REGION_BYTES]; /* of the signature */
    bool has_amazon_certificate;        /* of Amazon Trust Services; else of anybody */
};

/* Fails with ERR_INVALID, naming the input: no region, a region that is no host label, a URL that
 * is not http or https or has user info, query or fragment, or FIPS or dual-stack together with a
 * custom URL. Pure. */
MUST_CHECK bool endpoint_resolve(const struct endpoint_options *options, struct endpoint *ret,
                                 struct error *err);
