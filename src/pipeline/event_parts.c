// SPDX-License-Identifier: MIT
#include "pipeline/event_parts.h"

#include "base/json_writer.h"
#include "base/utf8.h"
#include "pipeline/json_scanner.h"

#define BASE64_START SPAN(",\"recordBase64\":\"")
#define LONGEST_PART_MEMBER                                                                        \
    SPAN("\"\",\"part\":{\"index\":4294967295,\"count\":4294967295,\"of\":\"base64\"}")

static bool cuts_json(const struct event_parts *parts) {
    return parts->of != NULL && strcmp(parts->of, "json") == 0;
}

/* Bytes of the character at the start of JSON text, and how many it has inside a string. */
static size_t text_character(struct span text, size_t *written) {
    size_t length = utf8_sequence_length(text);
    bool is_escaped = memchr("\"\\\n\r\t", text.ptr[0], 5) != NULL;
    *written = is_escaped ? 2 : length;
    return length;
}

static size_t string_character(struct span content, size_t *written) {
    *written = json_character_length(content);
    return *written;
}

/* Bytes of the longest piece at the start of `rest` that fits a part. */
static size_t piece_length(const struct event_parts *parts, struct span rest) {
    bool is_json = cuts_json(parts);
    size_t length = 0;
    size_t written = 0;
    while (length < rest.len) {
        struct span left = span_skip(rest, length);
        size_t more = 0;
        size_t bytes = is_json ? text_character(left, &more) : string_character(left, &more);
        if (bytes == 0 || bytes > left.len || written + more > parts->piece_max) {
            break;
        }
        length += bytes;
        written += more;
    }
    return length;
}

/* False when the text is no text: events that the splitter yields always are. */
static bool count_pieces(struct event_parts *parts) {
    struct span rest = parts->rest;
    do {
        size_t length = piece_length(parts, rest);
        if (length == 0 && rest.len > 0) {
            return false;
        }
        rest = span_skip(rest, length);
        parts->count++;
    } while (rest.len > 0);
    return true;
}

/* Splits the event's text into what comes before, what is cut, and what comes after. */
static void take_apart(struct event_parts *parts, const struct event *event) {
    size_t record_at = (size_t)(event->record.ptr - event->text.ptr);
    parts->before = span_first(event->text, record_at);
    parts->after = span_skip(event->text, record_at + event->record.len);
    parts->after.len--;
    if (span_equals(event->type, SPAN("extension.unparsed")) &&
        span_starts_with(parts->after, BASE64_START)) {
        parts->rest = span_skip(parts->after, BASE64_START.len);
        parts->rest.len--;
        parts->after.len = 0;
        parts->of = "base64";
    } else if (event->record.ptr[0] == '"') {
        parts->rest = json_string_content(event->record);
    } else {
        parts->rest = event->record;
        parts->of = "json";
    }
}

bool event_parts_cut(const struct enricher *enricher, const struct event *event, size_t line_max,
                     struct event_parts *ret, struct error *err) {
    if (event->record.len == 0) {
        return error_set(err, ERR_INVALID, "an event without a record cannot be cut");
    }
    struct event_parts parts = {
        .tail = enricher->enabled ? buf_span(&enricher->tail) : SPAN("}"),
        .request_id = enricher_request_id(enricher, event),
    };
    take_apart(&parts, event);
    size_t frame = parts.before.len + parts.after.len + LONGEST_PART_MEMBER.len + parts.tail.len;
    if (line_max < frame + EVENT_PIECE_BYTES_MIN) {
        return error_set(err, ERR_INVALID, "%zu bytes hold no useful part of the event", line_max);
    }
    parts.piece_max = line_max - frame;
    if (!count_pieces(&parts)) {
        return error_set(err, ERR_INVALID, "the record is no text");
    }
    *ret = parts;
    return true;
}

static void append_part_member(struct buf *out, const struct event_parts *parts) {
    buf_append(out, SPAN(",\"part\":{\"index\":"));
    buf_append_u64(out, parts->index);
    buf_append(out, SPAN(",\"count\":"));
    buf_append_u64(out, parts->count);
    if (parts->of != NULL) {
        buf_append(out, SPAN(",\"of\":\""));
        buf_append_text(out, parts->of);
        buf_append_char(out, '"');
    }
    buf_append_char(out, '}');
}

static void append_piece(struct buf *out, const struct event_parts *parts, struct span piece) {
    if (cuts_json(parts)) {
        json_append_string(out, piece);
        return;
    }
    buf_append_char(out, '"');
    buf_append(out, piece);
    buf_append_char(out, '"');
}

/* Tells the parts of an event apart for consumers that know nothing of parts. */
static void number_part(struct buf *head, const struct event_parts *parts) {
    uint32_t rest = parts->index;
    if (parts->number_at == 0 || buf_failed(head)) {
        return;
    }
    for (size_t i = PART_NUMBER_DIGITS; i-- > 0; rest /= 10) {
        head->ptr[parts->number_at + i] = (char)('0' + rest % 10);
    }
}

bool event_parts_next(struct event_parts *parts, struct enricher *enricher, struct line *ret,
                      struct error *err) {
    if (parts->index == parts->count) {
        return false;
    }
    size_t length = piece_length(parts, parts->rest);
    struct buf *head = &enricher->head;
    buf_clear(head);
    enricher_append_flat(head, parts->before);
    number_part(head, parts);
    append_piece(head, parts, span_first(parts->rest, length));
    enricher_append_flat(head, parts->after);
    append_part_member(head, parts);
    if (buf_failed(head)) {
        return error_set_memory(err, "a part of an event");
    }
    parts->rest = span_skip(parts->rest, length);
    parts->index++;
    *ret = (struct line){buf_span(head), parts->tail, parts->request_id};
    return true;
}
