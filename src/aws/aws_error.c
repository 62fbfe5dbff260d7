// SPDX-License-Identifier: MIT
#include "aws/aws_error.h"

#include "aws/xml_text.h"
#include "base/cbor_reader.h"

#include <cjson/cJSON.h>

enum {
    XML_LEAF_BYTES_MAX = 4096,
    TYPE_BYTES = 2 * AWS_ERROR_CODE_BYTES, /* a code with the namespace before it */
    KEY_BYTES = 16,                        /* a longer one is none of those looked for */
};

struct judgement {
    enum aws_verdict verdict;
    const char *code;
};

/* The names are those of Kinesis, of STS and of the signing front ends that all services share. */
static const struct judgement judgements[] = {
    {AWS_THROTTLED, "ProvisionedThroughputExceededException"},
    {AWS_THROTTLED, "ThrottlingException"},
    {AWS_THROTTLED, "Throttling"},
    {AWS_THROTTLED, "ThrottledException"},
    {AWS_THROTTLED, "LimitExceededException"},
    {AWS_THROTTLED, "KMSThrottlingException"},
    {AWS_THROTTLED, "RequestThrottledException"},
    {AWS_THROTTLED, "RequestThrottled"},
    {AWS_THROTTLED, "RequestLimitExceeded"},
    {AWS_THROTTLED, "TooManyRequestsException"},
    {AWS_THROTTLED, "BandwidthLimitExceeded"},
    {AWS_THROTTLED, "SlowDown"},

    {AWS_TRANSIENT, "InternalFailure"},
    {AWS_TRANSIENT, "InternalFailureException"},
    {AWS_TRANSIENT, "InternalServerError"},
    {AWS_TRANSIENT, "InternalError"},
    {AWS_TRANSIENT, "ServiceUnavailable"},
    {AWS_TRANSIENT, "ServiceUnavailableException"},
    {AWS_TRANSIENT, "RequestTimeout"},
    {AWS_TRANSIENT, "RequestTimeoutException"},
    {AWS_TRANSIENT, "RequestAbortedException"},

    {AWS_CREDENTIALS, "ExpiredTokenException"},
    {AWS_CREDENTIALS, "ExpiredToken"},
    {AWS_CREDENTIALS, "UnrecognizedClientException"},
    {AWS_CREDENTIALS, "InvalidClientTokenId"},
    {AWS_CREDENTIALS, "InvalidSignatureException"},
    {AWS_CREDENTIALS, "SignatureDoesNotMatch"},

    {AWS_CLOCK_SKEW, "RequestExpired"},
    {AWS_CLOCK_SKEW, "RequestTimeTooSkewed"},
    {AWS_CLOCK_SKEW, "RequestInTheFuture"},

    {AWS_TOO_LARGE, "RequestEntityTooLargeException"},
    {AWS_TOO_LARGE, "RequestEntityTooLarge"},

    {AWS_MISCONFIGURED, "ResourceNotFoundException"},
    {AWS_MISCONFIGURED, "AccessDeniedException"},
    {AWS_MISCONFIGURED, "AccessDenied"},
    {AWS_MISCONFIGURED, "NotAuthorized"},
    {AWS_MISCONFIGURED, "OptInRequired"},
    {AWS_MISCONFIGURED, "KMSAccessDeniedException"},
    {AWS_MISCONFIGURED, "KMSDisabledException"},
    {AWS_MISCONFIGURED, "KMSInvalidStateException"},
    {AWS_MISCONFIGURED, "KMSNotFoundException"},
    {AWS_MISCONFIGURED, "KMSOptInRequired"},
    /* Our signature is complete when it leaves: something on the way cut it. */
    {AWS_MISCONFIGURED, "IncompleteSignature"},
    {AWS_MISCONFIGURED, "IncompleteSignatureException"},
    {AWS_MISCONFIGURED, "MissingAuthenticationToken"},
    {AWS_MISCONFIGURED, "MissingAuthenticationTokenException"},

    {AWS_REFUSED, "InvalidArgumentException"},
    {AWS_REFUSED, "ValidationException"},
    {AWS_REFUSED, "ValidationError"},
    {AWS_REFUSED, "SerializationException"},
    {AWS_REFUSED, "UnknownOperationException"},
    {AWS_REFUSED, "MalformedHttpRequestException"},
    {AWS_REFUSED, "InvalidAction"},
    {AWS_REFUSED, "MissingParameter"},
};

static enum aws_verdict classify_status(int status) {
    if (status >= 200 && status < 300) {
        return AWS_OK;
    }
    switch (status) {
    case 408:
        return AWS_TRANSIENT;
    case 413:
        return AWS_TOO_LARGE;
    case 429:
        return AWS_THROTTLED;
    default:
        return status >= 300 && status < 500 ? AWS_MISCONFIGURED : AWS_TRANSIENT;
    }
}

/* "Signature expired: … is now earlier than …", "Signature not yet current: … is still later …" */
static bool is_about_time(struct span message) {
    return span_find(message, SPAN("Signature expired")) != NULL ||
           span_find(message, SPAN("Signature not yet current")) != NULL;
}

enum aws_verdict aws_classify(int status, struct span error_code, struct span message) {
    for (size_t i = 0; i < sizeof judgements / sizeof judgements[0]; i++) {
        if (span_equals(error_code, span_of_text(judgements[i].code))) {
            enum aws_verdict verdict = judgements[i].verdict;
            return verdict == AWS_CREDENTIALS && is_about_time(message) ? AWS_CLOCK_SKEW : verdict;
        }
    }
    enum aws_verdict verdict = classify_status(status);
    return verdict == AWS_OK && error_code.len > 0 ? AWS_TRANSIENT : verdict;
}

struct span aws_bare_error_code(struct span type) {
    struct span before_colon = span_cut(&type, ':');
    struct span behind_hash = before_colon;
    (void)span_cut(&behind_hash, '#');
    return span_trim(behind_hash.len > 0 ? behind_hash : before_colon);
}

/* Up to the first byte that is not printable ASCII, which also ends the first line. */
static void copy_printable(struct span from, char *to, size_t size) {
    size_t length = 0;
    while (length < from.len && length < size - 1 && from.ptr[length] >= ' ' &&
           from.ptr[length] <= '~') {
        to[length] = from.ptr[length];
        length++;
    }
    to[length] = '\0';
}

static void name_error(struct span type, struct span message, struct span type_header,
                       struct aws_error *ret) {
    struct span code = aws_bare_error_code(type.len > 0 ? type : type_header);
    copy_printable(code, ret->code, sizeof ret->code);
    copy_printable(message, ret->message, sizeof ret->message);
}

static struct span member(const cJSON *object, const char *name) {
    return span_of_text(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name)));
}

static void read_json(struct span body, struct span type_header, struct aws_error *ret) {
    cJSON *parsed = body.len == 0 ? NULL : cJSON_ParseWithLength(body.ptr, body.len);
    struct span message = member(parsed, "message");
    if (message.len == 0) {
        message = member(parsed, "Message");
    }
    name_error(member(parsed, "__type"), message, type_header, ret);
    cJSON_Delete(parsed);
}

static void read_cbor(struct span body, struct span type_header, struct aws_error *ret) {
    char type[TYPE_BYTES] = "";
    char message[AWS_ERROR_MESSAGE_BYTES] = "";
    char key[KEY_BYTES];
    struct cbor_reader reader = cbor_reader_of(body);
    struct cbor_items pairs;
    bool is_map = cbor_enter_map(&reader, &pairs);
    while (is_map && cbor_next(&reader, &pairs)) {
        (void)cbor_read_text(&reader, key, sizeof key);
        if (strcmp(key, "__type") == 0) {
            (void)cbor_read_text(&reader, type, sizeof type);
        } else if (message[0] == '\0' &&
                   (strcmp(key, "message") == 0 || strcmp(key, "Message") == 0)) {
            (void)cbor_read_text(&reader, message, sizeof message);
        } else {
            cbor_skip(&reader);
        }
    }
    bool whole = !cbor_failed(&reader);
    name_error(span_of_text(whole ? type : ""), span_of_text(whole ? message : ""), type_header,
               ret);
}

/* Appends the first of the leaves that the body has; nothing when it has none. */
static struct span read_leaf(struct span body, const char *const paths[2], struct buf *text) {
    for (size_t i = 0; i < 2; i++) {
        buf_clear(text);
        if (xml_text_append(body, paths[i], text, NULL)) {
            return span_trim(buf_span(text));
        }
    }
    return span_of(NULL, 0);
}

/* As STS writes it, or as emulators of STS do. */
static void read_xml(struct span body, struct span type_header, struct aws_error *ret) {
    static const char *const codes[] = {"ErrorResponse/Error/Code",
                                        "ErrorResponse/Errors/Error/Code"};
    static const char *const messages[] = {"ErrorResponse/Error/Message",
                                           "ErrorResponse/Errors/Error/Message"};
    CLEANUP(buf_done) struct buf code = buf_with_ceiling(XML_LEAF_BYTES_MAX);
    CLEANUP(buf_done) struct buf message = buf_with_ceiling(XML_LEAF_BYTES_MAX);
    name_error(read_leaf(body, codes, &code), read_leaf(body, messages, &message), type_header,
               ret);
}

void aws_error_read(struct span body, enum aws_format format, struct span type_header,
                    struct aws_error *ret) {
    if (format == AWS_CBOR) {
        read_cbor(body, type_header, ret);
    } else if (span_starts_with(span_trim(body), SPAN("<"))) {
        read_xml(body, type_header, ret);
    } else {
        read_json(body, type_header, ret);
    }
}
