// SPDX-License-Identifier: MIT
/* The two formats that the body of a request or an answer may have. Pure. */
#pragma once

#include "base/span.h"

#define AWS_JSON_CONTENT_TYPE "application/x-amz-json-1.1"
/* What the AWS SDK for Java sends to Kinesis. Bytes are bytes there, not base64. */
#define AWS_CBOR_CONTENT_TYPE "application/x-amz-cbor-1.1"

enum aws_format { AWS_JSON, AWS_CBOR };

/* The format of a body that came with this Content-Type: CBOR when the type says so, unless the
 * body begins as a JSON object does. Front ends of the service have been seen to answer so; as CBOR
 * it would be a text of some 10^18 bytes. */
enum aws_format aws_format_of(struct span content_type, struct span body);
