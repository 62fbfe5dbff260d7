// SPDX-License-Identifier: MIT
#include "pipeline/line_source.h"

void line_source_init(struct line_source *source, const struct line_source_settings *settings) {
    *source = (struct line_source){.settings = *settings};
    event_source_init(&source->events, settings->queue, settings->clock);
}

void line_source_done(struct line_source *source) { event_source_done(&source->events); }

static bool is_shipped(const struct shipped_types *types, enum event_kind kind) {
    switch (kind) {
    case EVENT_FUNCTION:
        return types->function;
    case EVENT_EXTENSION:
        return types->extension;
    case EVENT_START:
    case EVENT_RUNTIME_DONE:
    case EVENT_REPORT:
    case EVENT_LOGS_DROPPED:
    case EVENT_RESTORE_START:
    case EVENT_PLATFORM:
        return types->platform;
    case EVENT_OTHER:
        break;
    }
    return true; /* unparsed events, and types that are not known yet */
}

static void book_drop(struct line_source *source, enum drop_cause cause) {
    struct tally *dropped = &source->settings.ledger->dropped[cause];
    ledger_add(dropped, 1, source->event.text.len);
}

void line_source_drop(struct line_source *source, enum drop_cause cause) {
    book_drop(source, cause);
    source->filled = false;
}

/* A log event of CloudWatch takes the place of the line. */
static bool word(struct line_source *source) {
    struct cloudwatch_events *cloudwatch = source->settings.cloudwatch;
    source->worded = &source->event;
    if (cloudwatch == NULL) {
        return true;
    }
    bool made = cloudwatch_events_make(cloudwatch, &source->event, source->position,
                                       &source->wording, NULL);
    source->worded = &source->wording;
    source->line.head = source->wording.text;
    return made;
}

static void make_line(struct line_source *source) {
    source->in_parts = false;
    source->is_last = true;
    source->filled =
        enricher_line(source->settings.enricher, &source->event, &source->line, NULL) &&
        word(source);
    if (!source->filled) {
        book_drop(source, DROP_NO_MEMORY);
        enricher_observe(source->settings.enricher, &source->event);
    }
}

static void tell(struct line_source *source, enum event_kind kind) {
    const struct event_observer *observer = &source->settings.observer;
    source->position++;
    observer->on_event(observer->context, kind, &source->event, source->position);
}

static bool is_worded(const struct line_source_settings *settings, const struct event *event) {
    return settings->cloudwatch == NULL || cloudwatch_events_shows(settings->cloudwatch, event);
}

/* What was read is booked, told, and becomes the line unless its type is not shipped. */
static void take_event(struct line_source *source, bool unparsed) {
    struct line_source_settings *settings = &source->settings;
    const struct event *event = &source->event;
    enum event_kind kind = event_kind_of(event);
    tell(source, kind);
    if (kind == EVENT_LOGS_DROPPED) {
        ledger_add(&settings->ledger->platform_dropped,
                   event_record_number(event, SPAN("droppedRecords")),
                   event_record_number(event, SPAN("droppedBytes")));
    }
    if (!is_shipped(&settings->types, kind) || !is_worded(settings, event)) {
        settings->ledger->filtered++;
        enricher_observe(settings->enricher, event);
        return;
    }
    ledger_add(&settings->ledger->received, 1, event->text.len);
    settings->ledger->unparsed += unparsed;
    make_line(source);
}

bool line_source_fill(struct line_source *source) {
    while (!source->filled) {
        enum reader_item item = event_source_next(&source->events, &source->event);
        source->starved = item == READER_NO_MEMORY;
        switch (item) {
        case READER_EVENT:
        case READER_UNPARSED:
            take_event(source, item == READER_UNPARSED);
            break;
        case READER_NO_MEMORY:
            return false;
        case READER_END:
            source->begins_delivery = true;
            if (!event_source_advance(&source->events)) {
                return false;
            }
            break;
        }
    }
    return true;
}

bool line_source_take_unreadable(struct line_source *source) {
    if (!source->starved) {
        return false;
    }
    source->starved = false;
    source->event = (struct event){.text.len = event_source_skip(&source->events)};
    tell(source, EVENT_OTHER);
    ledger_add(&source->settings.ledger->received, 1, source->event.text.len);
    source->settings.ledger->unparsed++;
    return true;
}

static void take_part(struct line_source *source) {
    struct error err = {0};
    source->filled =
        event_parts_next(&source->parts, source->settings.enricher, &source->line, &err);
    source->is_last = source->parts.index == source->parts.count;
    if (!source->filled && err.code != ERR_NONE) {
        book_drop(source, DROP_NO_MEMORY);
    }
}

void line_source_next(struct line_source *source) {
    source->filled = false;
    source->begins_delivery = false;
    if (source->in_parts && !source->is_last) {
        take_part(source);
    }
}

void line_source_cut(struct line_source *source, size_t line_max) {
    if (source->in_parts || !event_parts_cut(source->settings.enricher, source->worded, line_max,
                                             &source->parts, NULL)) {
        line_source_drop(source, DROP_TOO_LARGE);
        return;
    }
    source->in_parts = true;
    source->parts.number_at = source->settings.cloudwatch == NULL ? 0 : CLOUDWATCH_COUNT_AT;
    take_part(source);
}

bool line_source_has_input(const struct line_source *source) {
    return source->filled || event_source_has_input(&source->events);
}
