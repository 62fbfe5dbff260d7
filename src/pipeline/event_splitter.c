// SPDX-License-Identifier: MIT
#include "pipeline/event_splitter.h"

#include "pipeline/json_scanner.h"

/* What the platform ends a body with; the head of a cut record has it in the middle of a value. */
#define FRAMING SPAN("}]")
/* How an event starts behind another one. Its first quote cannot be inside a JSON string, and a
 * scan that went wrong before it stops at its first or third byte, or behind the quote. */
#define NEXT_EVENT SPAN(",{\"time\":\"")

enum { BYTES_UP_TO_QUOTE = 3 };

static size_t length_without_blanks_behind(struct span text) {
    struct span trimmed = span_trim(text);
    return trimmed.len == 0 ? 0 : (size_t)(trimmed.ptr - text.ptr) + trimmed.len;
}

void event_splitter_init(struct event_splitter *s, struct span body) {
    *s = (struct event_splitter){
        .body = body.len > 0 ? body : SPAN(""),
        .trimmed = length_without_blanks_behind(body),
    };
}

static bool skip_text(struct json_scanner *s, struct span text) {
    if (!span_starts_with(span_of(s->at, (size_t)(s->end - s->at)), text)) {
        return false;
    }
    s->at += text.len;
    return true;
}

#define FUNCTION_TYPE SPAN("\"function\"")

static bool scan_type(struct json_scanner *s, struct span *ret) {
    const char *start = s->at;
    if (skip_text(s, FUNCTION_TYPE)) { /* most are of it */
        *ret = span_of(start + 1, FUNCTION_TYPE.len - 2);
        return true;
    }
    return json_scan_string(s, ret);
}

/* Up to the record, as the platform always writes it. */
static bool scan_envelope(struct json_scanner *s, struct span *time, struct span *type) {
    return skip_text(s, SPAN("{\"time\":")) && json_scan_string(s, time) &&
           skip_text(s, SPAN(",\"type\":")) && scan_type(s, type) &&
           skip_text(s, SPAN(",\"record\":"));
}

struct span event_envelope(struct span text) {
    struct json_scanner s = json_scanner_over(text);
    struct span time;
    struct span type;
    bool found = scan_envelope(&s, &time, &type);
    return span_of(text.ptr, found ? (size_t)(s.at - text.ptr) : 0);
}

static void note_member(struct event *event, const struct json_member *member) {
    struct span value = member->value;
    struct span *slot = NULL;
    if (span_equals(member->name, SPAN("record"))) {
        slot = &event->record;
    } else if (span_equals(member->name, SPAN("time"))) {
        slot = &event->time;
        value = json_string_content(value);
    } else if (span_equals(member->name, SPAN("type"))) {
        slot = &event->type;
        value = json_string_content(value);
    }
    if (slot == NULL || slot->ptr != NULL) {
        event->has_others = true;
    }
    if (slot != NULL) {
        *slot = value;
    }
}

/* Reads an event that has what the platform's have, in their order; on failure *ret is undefined.
 */
static bool scan_usual_event(struct json_scanner *s, struct event *ret) {
    const char *start = s->at;
    ret->has_others = false;
    if (!scan_envelope(s, &ret->time, &ret->type) || !json_scan_value(s, &ret->record) ||
        !json_skip(s, '}')) {
        return false;
    }
    ret->text = span_of(start, (size_t)(s->at - start));
    ret->has_blanks = s->met_blanks;
    return true;
}

/* Reads one event; on failure *ret is undefined and the scanner tells why. */
static bool scan_event(struct json_object *object, struct event *ret) {
    const char *start = object->scanner.at;
    struct json_member member;
    enum json_step step;
    *ret = (struct event){.has_others = false};
    while ((step = json_object_next(object, &member)) == JSON_MEMBER) {
        note_member(ret, &member);
    }
    ret->text = span_of(start, (size_t)(object->scanner.at - start));
    ret->has_blanks = object->scanner.met_blanks;
    return step == JSON_CLOSED;
}

/* The body without the blanks behind it. */
static struct span trimmed(const struct event_splitter *s) {
    return span_first(s->body, s->trimmed);
}

/* Where the elements end: before the closing bracket if there is one, else with the body. */
static size_t end_of_elements(const struct event_splitter *s) {
    return span_ends_with(trimmed(s), FRAMING) ? s->trimmed - 1 : s->body.len;
}

/* Where the bytes that are no event end, when the scan stopped at `stopped`. */
static size_t next_event_after(const struct event_splitter *s, size_t stopped) {
    struct span rest = span_skip(s->body, stopped);
    const char *found;
    while ((found = span_find(rest, NEXT_EVENT)) != NULL) {
        rest = span_skip(rest, (size_t)(found - rest.ptr) + 1);
        if (event_envelope(rest).len > 0) {
            return (size_t)(found - s->body.ptr);
        }
    }
    return end_of_elements(s);
}

static enum splitter_item yield_unparsed(struct event_splitter *s, size_t end, struct event *ret) {
    *ret = (struct event){.text = span_of(s->body.ptr + s->at, end - s->at)};
    s->at = end;
    return SPLITTER_UNPARSED;
}

/* Yields what is from here on no event, as far as the next one. */
static enum splitter_item yield_until_next(struct event_splitter *s, const char *stopped,
                                           struct event *ret) {
    size_t from = (size_t)(stopped - s->body.ptr);
    from = from > s->at + BYTES_UP_TO_QUOTE ? from - BYTES_UP_TO_QUOTE : s->at;
    return yield_unparsed(s, next_event_after(s, from), ret);
}

static enum splitter_item yield_rest(struct event_splitter *s, struct event *ret) {
    s->ended = true;
    return yield_unparsed(s, s->body.len, ret);
}

/* The platform cuts only inside a record's value, so without the stray framing the rest of the
 * body is the start of a valid event. */
static bool is_cut(const struct event_splitter *s, struct event *ret) {
    struct span head = span_skip(trimmed(s), s->at);
    if (!span_ends_with(head, FRAMING) || event_envelope(head).len == 0) {
        return false;
    }
    head.len -= FRAMING.len;
    struct json_object object = json_object_over(head);
    if (scan_event(&object, ret) || !object.scanner.ran_out) {
        return false;
    }
    *ret = (struct event){.text = head};
    return true;
}

/* An element is followed by a comma or the end; else it only looks like one, as the resumed bytes
 * of a cut record may. */
static bool is_followed_properly(struct json_scanner *scanner) {
    json_skip_blanks(scanner);
    return scanner->at == scanner->end || *scanner->at == ',' || *scanner->at == ']';
}

static enum splitter_item next_object(struct event_splitter *s, struct event *ret) {
    struct json_object object = json_object_over(span_skip(s->body, s->at));
    if (scan_event(&object, ret) && is_followed_properly(&object.scanner)) {
        s->at += ret->text.len;
        return SPLITTER_EVENT;
    }
    if (is_cut(s, ret)) {
        s->ended = true;
        return SPLITTER_CUT;
    }
    return yield_until_next(s, object.scanner.at, ret);
}

/* Nearly every element is one. */
static bool next_is_usual(struct event_splitter *s, struct event *ret) {
    struct json_scanner scanner = json_scanner_over(span_skip(s->body, s->at));
    if (!scan_usual_event(&scanner, ret) || !is_followed_properly(&scanner)) {
        return false;
    }
    s->at += ret->text.len;
    return true;
}

static enum splitter_item next_other(struct event_splitter *s, struct event *ret) {
    struct json_scanner scanner = json_scanner_over(span_skip(s->body, s->at));
    struct span value;
    if (json_scan_value(&scanner, &value) && is_followed_properly(&scanner)) {
        return yield_unparsed(s, s->at + value.len, ret);
    }
    return yield_until_next(s, scanner.at, ret);
}

static bool is_separator(char c) {
    return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_separators(struct event_splitter *s) {
    while (s->at < s->body.len && is_separator(s->body.ptr[s->at])) {
        s->at++;
    }
}

static bool open_array(struct event_splitter *s) {
    struct json_scanner scanner = json_scanner_over(s->body);
    json_skip_blanks(&scanner);
    s->in_array = json_skip(&scanner, '[');
    s->at = s->in_array ? (size_t)(scanner.at - s->body.ptr) : 0;
    return s->in_array;
}

enum splitter_item event_splitter_next(struct event_splitter *s, struct event *ret) {
    if (s->ended) {
        return SPLITTER_END;
    }
    if (!s->in_array && !open_array(s)) {
        return yield_rest(s, ret);
    }
    skip_separators(s);
    if (s->at < s->body.len && s->body.ptr[s->at] == ']') {
        s->at++; /* the last one, by rights; whatever follows is treated like any element */
        skip_separators(s);
    }
    if (s->at == s->body.len) {
        s->ended = true;
        return SPLITTER_END;
    }
    if (next_is_usual(s, ret)) {
        return SPLITTER_EVENT;
    }
    return s->body.ptr[s->at] == '{' ? next_object(s, ret) : next_other(s, ret);
}
