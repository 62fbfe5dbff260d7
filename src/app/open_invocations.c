// SPDX-License-Identifier: MIT
#include "app/open_invocations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_AT_FIRST = 16 };

void open_invocations_done(struct open_invocations *open) {
    free(open->all);
    *open = (struct open_invocations){0};
}

static void remove_at(struct open_invocations *open, size_t index) {
    size_t behind = open->count - index - 1;
    memmove(&open->all[index], &open->all[index + 1], behind * sizeof *open->all);
    open->count--;
}

static bool make_room(struct open_invocations *open) {
    if (open->count < open->room) {
        return true;
    }
    if (open->room == OPEN_INVOCATIONS_MAX) {
        remove_at(open, 0);
        return true;
    }
    size_t room = open->room == 0 ? ROOM_AT_FIRST : open->room * 2;
    struct invocation *all = realloc(open->all, room * sizeof *all);
    if (all == NULL) {
        return false;
    }
    open->all = all;
    open->room = room;
    return true;
}

static void begin(struct open_invocations *open, struct span request_id, int64_t now_ms) {
    if (request_id.len > 0 && make_room(open)) {
        struct invocation *begun = &open->all[open->count++];
        *begun = (struct invocation){.began_ms = now_ms};
        (void)snprintf(begun->request_id, sizeof begun->request_id, "%.*s", SPAN_ARGS(request_id));
    }
}

static void end(struct open_invocations *open, struct span request_id) {
    for (size_t i = 0; i < open->count; i++) {
        if (span_equals(request_id, span_of_text(open->all[i].request_id))) {
            remove_at(open, i);
            return;
        }
    }
}

void open_invocations_on_event(struct open_invocations *open, enum event_kind kind,
                               const struct event *event, int64_t now_ms) {
    if (kind == EVENT_START) {
        open_invocations_forget_old(open, now_ms);
        begin(open, event_request_id(event), now_ms);
    } else if (kind == EVENT_REPORT) {
        end(open, event_request_id(event));
    }
}

void open_invocations_forget_old(struct open_invocations *open, int64_t now_ms) {
    while (open->count > 0 && open->all[0].began_ms + INVOCATION_MAX_MS < now_ms) {
        remove_at(open, 0);
    }
}
