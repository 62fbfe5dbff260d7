// SPDX-License-Identifier: MIT
#include "shipper_rig.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>

#include <cmocka.h>

static void on_event(void *context, enum event_kind kind, const struct event *event,
                     uint64_t position) {
    struct rig *rig = context;
    assert_true(event->text.len > 0);
    assert_int_equal(position, rig->position + 1);
    rig->position = position;
    rig->observed++;
    if (kind == EVENT_RUNTIME_DONE) {
        rig->runtime_done_position = position;
    }
}

static void on_trouble(void *context, enum retry_pace pace, const char *reason) {
    struct rig *rig = context;
    assert_true(reason[0] != '\0');
    rig->troubles++;
    rig->last_trouble = pace;
}

static size_t either(size_t given, size_t preset) { return given == 0 ? preset : given; }

static struct record_packer_settings packer_settings(const struct rig_options *options) {
    return (struct record_packer_settings){
        .format = options->format == NULL ? &format_ndjson : options->format,
        .partition_key = options->partition_key,
        .environment_id = SPAN("000000000001"),
        .function_name = SPAN("orders"),
        .record_bytes = either(options->record_bytes, 1000),
        .group_bytes = either(options->group_bytes, 20000),
        .limits =
            {
                .max_records = either(options->max_records, 500),
                .max_record_bytes = either(options->max_record_bytes, 100000),
                .max_request_bytes = 5 * 1024 * 1024,
                .billing_unit_bytes = 25000,
            },
    };
}

static void init_enricher(struct rig *rig) {
    char environment_id[ENVIRONMENT_ID_BYTES];
    (void)snprintf(environment_id, sizeof environment_id, "%012u", ++rig->processes);
    const struct enricher_settings settings = {
        .enabled = rig->options.enriched,
        .function_name = SPAN("orders"),
        .environment_id = environment_id,
    };
    assert_true(enricher_init(&rig->enricher, &settings, NULL));
}

static void open_spool(struct rig *rig, const struct record_packer_settings *packer) {
    if (rig->options.spool_bytes > 0) {
        rig->spool =
            spool_open(rig->spool_path, rig->options.spool_bytes, packer->limits.max_records, NULL);
        assert_non_null(rig->spool);
    }
}

static void start(struct rig *rig) {
    const struct rig_options *options = &rig->options;
    size_t queue_bytes = either(options->queue_bytes, RIG_QUEUE_BYTES);
    rig->queue = batch_queue_create(queue_bytes, NULL);
    assert_non_null(rig->queue);
    init_enricher(rig);
    struct shipper_settings settings = {
        .queue = rig->queue,
        .destination = &rig->destination.destination,
        .enricher = &rig->enricher,
        .clock = &rig->clock.clock,
        .packer = packer_settings(options),
        .lanes = either(options->lanes, DESTINATION_LANES_MAX),
        .spill_bytes = queue_bytes / 2,
        .spill_group_bytes = either(options->group_bytes, 20000),
        .gather_ms = options->gather_ms,
        .types = {.platform = !options->only_functions, .function = true, .extension = true},
        .events = {.context = rig, .on_event = on_event},
        .troubles = {.context = rig, .on_trouble = on_trouble},
    };
    open_spool(rig, &settings.packer);
    settings.spool = rig->spool;
    rig->shipper = shipper_create(&settings, NULL);
    assert_non_null(rig->shipper);
    rig->observed = 0;
    rig->position = 0;
    rig->before.accepted = rig->destination.accepted_events;
    rig->before.refused = rig->destination.refused_events;
    rig->before.loss_reports = rig->destination.loss_reports;
    rig->before.sends = rig->destination.sends;
}

static void end(struct rig *rig) {
    shipper_destroy(rig->shipper);
    spool_close(rig->spool);
    rig->spool = NULL;
    enricher_done(&rig->enricher);
    batch_queue_destroy(rig->queue);
}

void rig_init(struct rig *rig, struct rig_options options) {
    *rig = (struct rig){.options = options, .clock = fake_clock_at(1000000, 1773500966536)};
    if (options.spool_bytes > 0) {
        (void)scratch_make();
        (void)snprintf(rig->spool_path, sizeof rig->spool_path, "%s", scratch_path("spool"));
    }
    fake_destination_init(&rig->destination, packer_settings(&options).limits);
    start(rig);
}

void rig_done(struct rig *rig) {
    end(rig);
    scratch_remove();
}

void rig_restart(struct rig *rig) {
    shipper_stop(rig->shipper);
    rig_check(rig);
    rig_crash(rig);
}

void rig_crash(struct rig *rig) {
    end(rig);
    start(rig);
}

void rig_set_disk(bool works) {
    struct rlimit limit;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = works ? limit.rlim_max : 0;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

bool rig_push_body(struct rig *rig, struct span body) {
    struct buf copy = buf_with_ceiling(SIZE_MAX);
    buf_append(&copy, body);
    assert_false(buf_failed(&copy));
    bool pushed = batch_queue_push(rig->queue, &copy, NULL);
    buf_done(&copy);
    return pushed;
}

bool rig_push(struct rig *rig, unsigned count, unsigned bytes) {
    struct buf body = buf_with_ceiling(SIZE_MAX);
    for (unsigned i = 0; i < count; i++) {
        buf_append_format(&body, "%c{\"time\":\"t\",\"type\":\"function\",\"record\":\"e-%06u",
                          i == 0 ? '[' : ',', rig->next_event + i);
        for (unsigned at = 8; at < bytes; at++) {
            buf_append_char(&body, 'x');
        }
        buf_append(&body, SPAN("\"}"));
    }
    buf_append_char(&body, ']');
    bool pushed = batch_queue_push(rig->queue, &body, NULL);
    rig->next_event += pushed ? count : 0;
    buf_done(&body);
    return pushed;
}

void rig_ship(struct rig *rig, unsigned count, unsigned bytes) {
    assert_true(rig_push(rig, count, bytes));
    rig_pump(rig);
}

static uint64_t delivered_events(const struct rig *rig) {
    return rig->destination.accepted_events - rig->before.accepted + rig->destination.loss_reports -
           rig->before.loss_reports;
}

/* The ledger counts what the test's own books say, and pending is what neither of the others is. */
void rig_check(const struct rig *rig) {
    const struct ledger *ledger = shipper_ledger(rig->shipper);
    struct tally pending = ledger_pending(ledger);
    struct tally dropped = ledger_dropped(ledger);
    assert_int_equal(ledger->received.events + ledger->filtered,
                     rig->observed + ledger->replayed.events);
    assert_true(ledger->received.events >= ledger->delivered.events + dropped.events);
    assert_true(ledger->received.bytes >= ledger->delivered.bytes + dropped.bytes);
    assert_true((pending.events == 0) == (pending.bytes == 0));
    assert_int_equal(ledger->requests, rig->destination.sends - rig->before.sends);
    if (!rig->counts_differ) {
        assert_int_equal(ledger->delivered.events, delivered_events(rig));
        assert_int_equal(ledger->dropped[DROP_REFUSED].events,
                         rig->destination.refused_events - rig->before.refused);
    }
}

void rig_pump(struct rig *rig) {
    shipper_pump(rig->shipper);
    rig_check(rig);
}

int64_t rig_wait_ms(const struct rig *rig) {
    int64_t wakeup = shipper_wakeup_ms(rig->shipper);
    return wakeup == INT64_MAX ? INT64_MAX : wakeup - rig->clock.monotonic_ms;
}

void rig_sleep(struct rig *rig) {
    int64_t wait = rig_wait_ms(rig);
    assert_true(wait < INT64_MAX);
    fake_clock_pass(&rig->clock, wait > 0 ? wait : 0);
    rig_pump(rig);
}

void rig_answer(struct rig *rig, size_t lane, enum record_fate fate, enum retry_pace pace) {
    fake_destination_answer_all(&rig->destination, lane, fate, pace);
    rig_check(rig);
    rig_pump(rig);
}

void rig_accept_everything(struct rig *rig) {
    rig_pump(rig);
    for (int step = 0; !shipper_idle(rig->shipper); step++) {
        assert_in_range(step, 0, 100000);
        if (fake_destination_running(&rig->destination) >= 0) {
            fake_destination_accept_all(&rig->destination);
            rig_pump(rig);
        } else {
            rig_sleep(rig);
        }
    }
}

void rig_expect_all_delivered(const struct rig *rig) {
    for (unsigned i = 0; i < rig->next_event; i++) {
        assert_int_equal(rig->destination.accepted[i], 1);
    }
    assert_int_equal(rig->destination.accepted_events, rig->next_event);
    assert_int_equal(ledger_pending(shipper_ledger(rig->shipper)).events, 0);
    assert_int_equal(ledger_dropped(shipper_ledger(rig->shipper)).events, 0);
    assert_true(shipper_idle(rig->shipper));
}
