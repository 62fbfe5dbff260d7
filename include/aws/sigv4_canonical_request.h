// SPDX-License-Identifier: MIT
/* The first stage of a signature: one text for all the ways in which a request can be written.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 * Pure. */
#pragma once

#include "base/attributes.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"

enum { SIGV4_HEADERS_MAX = 32, SIGV4_PATH_SEGMENTS_MAX = 256, SIGV4_QUERY_PARAMETERS_MAX = 256 };

struct sigv4_header {
    struct span name; /* any case */
    struct span value;
};

/* How the path becomes part of the canonical request. */
enum sigv4_path_style {
    SIGV4_PATH_NORMALIZED, /* ".", ".." and "//" resolved, then percent-encoded */
    SIGV4_PATH_AS_SENT,    /* percent-encoded only: S3 */
};

struct sigv4_request {
    struct span method;
    /* Not yet encoded for the signature: what is on the wire, or for S3, which encodes once in all,
     * the key as it is before it was encoded for the wire. */
    struct span path;
    struct span query; /* without "?", as on the wire; may be empty */
    /* Everything that is to be signed: host, content-type, every x-amz-*. Hop-by-hop and
     * user-agent headers are left out by itself. */
    const struct sigv4_header *headers;
    size_t header_count;
    struct span payload_hash; /* 64 hexadecimal digits, or a literal that S3 knows */
    enum sigv4_path_style path_style;
};

/* Appends the canonical request to *canonical and the names of the signed headers
 * ("host;x-amz-date") to *signed_headers. Fails with ERR_MEMORY, or with ERR_INVALID for a header
 * that holds control characters and for more than one of the limits above. */
MUST_CHECK bool sigv4_canonical_request(const struct sigv4_request *request, struct buf *canonical,
                                        struct buf *signed_headers, struct error *err);
