// SPDX-License-Identifier: MIT
#include "pipeline/classic_text.h"

#include "base/json_writer.h"
#include "pipeline/json_scanner.h"
#include "pipeline/text_fields.h"

/* --- invocations --- */

static void append_start(struct buf *out, const struct event *event) {
    static const struct text_field fields[] = {
        {"START RequestId: ", "requestId", "", false},
        {" Version: ", "version", "", false},
    };
    TEXT_FIELDS_APPEND(out, event->record, fields);
    buf_append(out, SPAN("\\n"));
}

void classic_text_append_end(struct buf *out, const struct event *event) {
    static const struct text_field fields[] = {{"END RequestId: ", "requestId", "\\n", false}};
    TEXT_FIELDS_APPEND(out, event->record, fields);
}

void classic_text_append_timeout(struct buf *out, const struct event *event, int64_t duration_ms) {
    static const struct text_field fields[] = {{" ", "requestId", "", false}};
    buf_append(out, event->time);
    TEXT_FIELDS_APPEND(out, event->record, fields);
    buf_append_format(out, " Task timed out after %.2f seconds\\n\\n", (double)duration_ms / 1000);
}

/* `Root=1-69b5…;Parent=d005…;Sampled=1`: the part behind `name`. */
static struct span trace_part(struct span trace, struct span name) {
    while (trace.len > 0) {
        struct span part = span_cut(&trace, ';');
        if (span_starts_with(part, name)) {
            return span_skip(part, name.len);
        }
    }
    return span_of(NULL, 0);
}

static void append_trace(struct buf *out, struct span tracing) {
    struct span trace = text_fields_value(tracing, "value");
    if (trace.len == 0) {
        return;
    }
    buf_append(out, SPAN("XRAY TraceId: "));
    buf_append(out, trace_part(trace, SPAN("Root=")));
    buf_append(out, SPAN("\\tSegmentId: "));
    buf_append(out, trace_part(trace, SPAN("Parent=")));
    bool sampled = span_equals(trace_part(trace, SPAN("Sampled=")), SPAN("1"));
    buf_append(out, sampled ? SPAN("\\tSampled: true\\t\\n") : SPAN("\\tSampled: false\\t\\n"));
}

/* The Logs API does not tell; then it is taken for a success. */
static bool succeeded(struct span record) {
    struct span status = text_fields_value(record, "status");
    return status.len == 0 || span_equals(status, SPAN("success"));
}

static void append_report(struct buf *out, const struct event *event) {
    static const struct text_field id[] = {{"REPORT RequestId: ", "requestId", "\\t", false}};
    static const struct text_field metrics[] = {
        {"Duration: ", "durationMs", " ms\\t", true},
        {"Billed Duration: ", "billedDurationMs", " ms\\t", false},
        {"Memory Size: ", "memorySizeMB", " MB\\t", false},
        {"Max Memory Used: ", "maxMemoryUsedMB", " MB\\t", false},
        {"Init Duration: ", "initDurationMs", " ms\\t", true},
        {"Restore Duration: ", "restoreDurationMs", " ms\\t", true},
        {"Billed Restore Duration: ", "billedRestoreDurationMs", " ms\\t", false},
    };
    static const struct text_field outcome[] = {
        {"Status: ", "status", "", false},
        {"\\tError Type: ", "errorType", "", false},
    };
    struct span record = event->record;
    TEXT_FIELDS_APPEND(out, record, id);
    TEXT_FIELDS_APPEND(out, text_fields_member(record, "metrics"), metrics);
    if (!succeeded(record)) {
        TEXT_FIELDS_APPEND(out, record, outcome);
    }
    buf_append(out, SPAN("\\n"));
    append_trace(out, text_fields_member(record, "tracing"));
}

/* --- environments --- */

static void append_runtime(struct buf *out, const char *name, struct span record) {
    static const struct text_field fields[] = {
        {" Runtime Version: ", "runtimeVersion", "\\t", false},
        {"Runtime Version ARN: ", "runtimeVersionArn", "", false},
    };
    buf_append_text(out, name);
    TEXT_FIELDS_APPEND(out, record, fields);
    buf_append(out, SPAN("\\n"));
}

static void append_init_start(struct buf *out, const struct event *event) {
    append_runtime(out, "INIT_START", event->record);
}

static void append_restore_start(struct buf *out, const struct event *event) {
    append_runtime(out, "RESTORE_START", event->record);
}

static void append_phase(struct buf *out, const char *name, const struct text_field *duration,
                         struct span record) {
    static const struct text_field outcome[] = {
        {"\\tPhase: ", "phase", "", false},
        {"\\tStatus: ", "status", "", false},
        {"\\tError Type: ", "errorType", "", false},
    };
    buf_append_text(out, name);
    text_fields_append(out, text_fields_member(record, "metrics"), duration, 1);
    if (!succeeded(record)) {
        TEXT_FIELDS_APPEND(out, record, outcome);
    }
    buf_append(out, SPAN("\\n"));
}

static void append_init_report(struct buf *out, const struct event *event) {
    static const struct text_field duration = {" Init Duration: ", "durationMs", " ms", true};
    append_phase(out, "INIT_REPORT", &duration, event->record);
}

static void append_restore_report(struct buf *out, const struct event *event) {
    static const struct text_field duration = {" Restore Duration: ", "durationMs", " ms", true};
    append_phase(out, "RESTORE_REPORT", &duration, event->record);
}

/* --- extensions and their subscriptions --- */

static void append_named(struct buf *out, struct span record, const char *title,
                         const char *list_label, const char *list) {
    static const struct text_field fields[] = {
        {"\\tName: ", "name", "", false},
        {"\\tState: ", "state", "", false},
    };
    static const struct text_field error[] = {{"\\tError Type: ", "errorType", "", false}};
    buf_append_text(out, title);
    TEXT_FIELDS_APPEND(out, record, fields);
    buf_append_text(out, list_label);
    text_fields_append_list(out, record, list);
    TEXT_FIELDS_APPEND(out, record, error);
    buf_append(out, SPAN("\\n"));
}

static void append_extension(struct buf *out, const struct event *event) {
    append_named(out, event->record, "EXTENSION", "\\tEvents: ", "events");
}

static void append_logs(struct buf *out, const struct event *event) {
    append_named(out, event->record, "LOGS", "\\tTypes: ", "types");
}

static void append_telemetry(struct buf *out, const struct event *event) {
    append_named(out, event->record, "TELEMETRY", "\\tTypes: ", "types");
}

/* --- all others --- */

static bool is_log(const struct event *event) {
    enum event_kind kind = event_kind_of(event);
    return kind == EVENT_FUNCTION || kind == EVENT_EXTENSION;
}

/* A string as it is; what was logged as JSON as that; and what no line is known for as all of its
 * JSON text. */
static void append_record(struct buf *out, const struct event *event) {
    struct span record = event->record;
    if (span_starts_with(record, SPAN("\""))) {
        buf_append(out, json_string_content(record));
    } else {
        json_append_escaped(out, is_log(event) && record.len > 0 ? record : event->text);
    }
}

/* --- which --- */

static const struct line_kind {
    const char *type;
    void (*append)(struct buf *out, const struct event *event); /* NULL: not shown */
} line_kinds[] = {
    {"platform.start", append_start},
    {"platform.end", classic_text_append_end},
    {"platform.report", append_report},
    {"platform.extension", append_extension},
    {"platform.logsSubscription", append_logs},
    {"platform.telemetrySubscription", append_telemetry},
    {"platform.initStart", append_init_start},
    {"platform.initReport", append_init_report},
    {"platform.restoreStart", append_restore_start},
    {"platform.restoreReport", append_restore_report},
    {"platform.runtimeDone", NULL},
    {"platform.initRuntimeDone", NULL},
    {"platform.restoreRuntimeDone", NULL},
};

static const struct line_kind *line_kind_of(const struct event *event) {
    if (!span_starts_with(event->type, SPAN("platform."))) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof line_kinds / sizeof line_kinds[0]; i++) {
        if (span_equals(event->type, span_of_text(line_kinds[i].type))) {
            return &line_kinds[i];
        }
    }
    return NULL;
}

/* That of an on-demand environment is in its first REPORT; that of a snapshot in no other line. */
static bool has_init_report(struct span record) {
    return !succeeded(record) ||
           span_equals(text_fields_value(record, "initializationType"), SPAN("snap-start"));
}

bool classic_text_exists(const struct event *event) {
    const struct line_kind *kind = line_kind_of(event);
    if (kind == NULL) {
        return true;
    }
    if (kind->append == append_init_start || kind->append == append_restore_start) {
        return text_fields_value(event->record, "runtimeVersion").len > 0;
    }
    return kind->append == append_init_report ? has_init_report(event->record)
                                              : kind->append != NULL;
}

void classic_text_append(struct buf *out, const struct event *event) {
    const struct line_kind *kind = line_kind_of(event);
    if (kind != NULL && kind->append != NULL) {
        kind->append(out, event);
    } else {
        append_record(out, event);
    }
}
