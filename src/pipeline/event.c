// SPDX-License-Identifier: MIT
#include "pipeline/event.h"

#include "pipeline/json_scanner.h"

#include <ctype.h>

#define RUNTIME_DONE SPAN("platform.runtimeDone")

static enum event_kind platform_kind(struct span type) {
    static const struct {
        const char *type;
        enum event_kind kind;
    } kinds[] = {
        {"platform.start", EVENT_START},
        {"platform.runtimeDone", EVENT_RUNTIME_DONE},
        {"platform.report", EVENT_REPORT},
        {"platform.restoreStart", EVENT_RESTORE_START},
        {"platform.logsDropped", EVENT_LOGS_DROPPED},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (span_equals(type, span_of_text(kinds[i].type))) {
            return kinds[i].kind;
        }
    }
    return EVENT_PLATFORM;
}

enum event_kind event_kind_of_rare(const struct event *event) {
    if (span_equals(event->type, SPAN("extension"))) {
        return EVENT_EXTENSION;
    }
    return span_starts_with(event->type, SPAN("platform.")) ? platform_kind(event->type)
                                                            : EVENT_OTHER;
}

static bool is_usable_id(struct span id) {
    return id.len > 0 && id.len < REQUEST_ID_BYTES && memchr(id.ptr, '\\', id.len) == NULL;
}

/* Lines of text, of which there are most, have no members. */
static bool has_object(const struct event *event) {
    return span_starts_with(event->record, SPAN("{"));
}

struct span event_record_member(const struct event *event, struct span name) {
    if (!has_object(event)) {
        return span_of(NULL, 0);
    }
    struct json_object record = json_object_over(event->record);
    struct json_member member;
    while (json_object_next(&record, &member) == JSON_MEMBER) {
        if (span_equals(member.name, name)) {
            return member.value;
        }
    }
    return span_of(NULL, 0);
}

unsigned long long event_record_number(const struct event *event, struct span name) {
    unsigned long long number = 0;
    return span_to_u64(event_record_member(event, name), &number) ? number : 0;
}

struct span event_request_id(const struct event *event) {
    struct span id = json_string_content(event_record_member(event, SPAN("requestId")));
    return is_usable_id(id) ? id : span_of(NULL, 0);
}

/* 8-4-4-4-12 hexadecimal digits. */
static bool is_uuid(struct span text) {
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (text.len != sizeof form - 1) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        bool fits = form[i] == 'x' ? isxdigit((unsigned char)text.ptr[i]) : text.ptr[i] == '-';
        if (!fits) {
            return false;
        }
    }
    return true;
}

static bool names_request_id(struct span name) {
    return span_equals(name, SPAN("requestId")) || span_equals(name, SPAN("AWSRequestId")) ||
           span_equals(name, SPAN("function_request_id"));
}

struct span event_logged_request_id(const struct event *event) {
    if (!has_object(event)) {
        return span_of(NULL, 0);
    }
    struct json_object record = json_object_over(event->record);
    struct json_member member;
    struct span id = span_of(NULL, 0);
    bool has_timestamp = false;
    bool has_level = false;
    while (json_object_next(&record, &member) == JSON_MEMBER) {
        has_timestamp |= span_equals(member.name, SPAN("timestamp"));
        has_level |= span_equals(member.name, SPAN("level"));
        if (names_request_id(member.name) && is_uuid(json_string_content(member.value))) {
            id = json_string_content(member.value);
        }
        if (has_timestamp && has_level && id.len > 0) {
            return id; /* what is behind it, such as the message, may be long */
        }
    }
    return span_of(NULL, 0);
}

bool event_body_has_runtime_done(struct span body, struct span request_id) {
    if (request_id.len == 0 || span_find(body, RUNTIME_DONE) == NULL) {
        return false;
    }
    struct event_splitter splitter;
    struct event event;
    enum splitter_item item;
    event_splitter_init(&splitter, body);
    while ((item = event_splitter_next(&splitter, &event)) != SPLITTER_END) {
        if (item == SPLITTER_EVENT && event_kind_of(&event) == EVENT_RUNTIME_DONE &&
            span_equals(event_request_id(&event), request_id)) {
            return true;
        }
    }
    return false;
}
