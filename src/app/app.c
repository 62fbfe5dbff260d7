// SPDX-License-Identifier: MIT
#include "app/app.h"

#include "app/client.h"
#include "app/hold.h"
#include "app/idle.h"
#include "app/intake.h"
#include "app/invocation.h"
#include "app/memory_reserve.h"
#include "app/open_invocations.h"
#include "app/shipping.h"
#include "app/traffic.h"
#include "app/trouble.h"
#include "base/log.h"
#include "lambda/extensions_api.h"
#include "net/http_client.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    /* What remains of the 2,000 ms of a shutdown when the extension ends: totals and exit. */
    SHUTDOWN_MARGIN_MS = 150,
    /* A SHUTDOWN without a sensible deadline: what the platform leaves at least (2,000 ms less
     * the 600 ms that the runtime may have used, and the margin). */
    SHUTDOWN_FALLBACK_MS = 1200,
    /* The last deliveries are over when nothing has come for this long beyond the platform's
     * buffering time; longer while the report of the last invocation is missing, which only a
     * platform that is busy itself is so late with. */
    SHUTDOWN_QUIET_MS = 75,
    SHUTDOWN_QUIET_MAX_MS = 400,
    SHUTDOWN_REPORT_MS = 800,
    /* A deadline further away than this is not one of a shutdown. */
    SHUTDOWN_MAX_MS = 10000,
    /* Delivery stands still when nothing was read for longer than answers commonly take. */
    STANDSTILL_MS = 20,
    /* A next event that could not be asked for is asked for again after this, for ten seconds. */
    NEXT_AGAIN_MS = 100,
    NEXT_FAILURES_MAX = 100,
    /* So often in a row the loop may find no memory to wait with: ten seconds (http_client.h). */
    WAIT_FAILURES_MAX = 200,
};

struct app {
    const struct config *config;
    const struct clock *clock;
    struct http_client *http;
    struct extensions_api extensions;
    struct lambda_function function;
    struct intake intake;
    struct shipping shipping;
    bool was_restored; /* from a snapshot */
    bool ships; /* false: only answers the platform, because of a mistake or a lack of logs */
    struct trouble trouble;
    struct idle idle;
    struct traffic traffic;
    struct hold hold;
    struct invocation last;       /* that the platform announced */
    struct open_invocations open; /* where invocations are not announced */
    bool next_asked;              /* event/next is outstanding */
    unsigned next_failures;       /* in a row */
    int64_t next_again_ms;        /* not to be asked for before */
    unsigned wait_failures;       /* in a row */
    struct memory_reserve reserve;
    struct lambda_event shutdown;
    bool ended;        /* SHUTDOWN came, or the platform refused to go on */
    int64_t pumped_ms; /* when reading events last began … */
    bool heard;        /* … whether there was one … */
    int64_t heard_ms;  /* … and when reading last ended that had found one */
    int status;
};

static int64_t now_ms(const struct app *app) { return clock_monotonic_ms(app->clock); }

/* The platform's deadline, Unix time, as monotonic time; INT64_MAX when it cannot be right. */
static int64_t monotonic_deadline(const struct app *app, int64_t deadline_ms, int64_t longest_ms) {
    int64_t left = deadline_ms - clock_wall_ms(app->clock);
    return left <= 0 || left > longest_ms ? INT64_MAX : now_ms(app) + left;
}

/* --- what others tell the app --- */

/* The platform tells extensions nothing of a restore: it is known from the first event in the
 * stream of logs that came after the snapshot, or from the first invocation, whichever is seen
 * first. In other kinds of environment such an event means nothing. */
static void on_invoked_or_restored(struct app *app) {
    if (app->ships && app->config->environment->is_restored && !app->was_restored) {
        app->was_restored = true;
        shipping_restored(&app->shipping);
    }
}

/* Only events that begin or end an invocation are read for it: of the others there are many. */
static struct span request_id_of(enum event_kind kind, const struct event *event) {
    bool begins_or_ends_one = kind == EVENT_START || kind == EVENT_RUNTIME_DONE;
    return begins_or_ends_one ? event_request_id(event) : span_of(NULL, 0);
}

static void on_event_read(void *context, enum event_kind kind, const struct event *event,
                          uint64_t position) {
    struct app *app = context;
    app->heard = true;
    if (kind == EVENT_RESTORE_START) {
        on_invoked_or_restored(app);
    }
    hold_on_event(&app->hold, kind, request_id_of(kind, event), position, app->pumped_ms);
    invocation_on_event(&app->last, kind, event);
    if (app->config->environment->is_concurrent) {
        open_invocations_on_event(&app->open, kind, event, app->pumped_ms);
    }
}

static void on_trouble(void *context, enum retry_pace pace, const char *reason) {
    struct app *app = context;
    trouble_say(&app->trouble, pace, reason);
}

static bool is_to_be_held(struct app *app) {
    bool is_frozen = app->config->environment->is_frozen;
    if (!app->ships || !is_frozen || app->config->flush == FLUSH_CONTINUOUS) {
        return false;
    }
    bool held = traffic_begin(&app->traffic, idle_gap_ms(&app->idle, now_ms(app)));
    return held || app->config->flush == FLUSH_END;
}

/* Deadlines further away than the longest invocation are not believed. */
static void on_invoke(struct app *app, const struct lambda_event *event) {
    int64_t deadline = monotonic_deadline(app, event->deadline_ms, INVOCATION_MAX_MS);
    on_invoked_or_restored(app);
    app->last = invocation_begun(event, now_ms(app));
    hold_begin(&app->hold, is_to_be_held(app), event->request_id, now_ms(app), deadline);
}

/* Whether memory was made for another try. */
static bool has_made_memory(struct app *app, const struct error *err) {
    return err->code == ERR_MEMORY && memory_reserve_release(&app->reserve);
}

/* What the platform refuses is final. Anything else, such as a lack of memory, may pass: the
 * function would fail with the extension, so the event is asked for again. */
static void on_next_failed(struct app *app, const struct error *err) {
    if (err->code != ERR_REFUSED && ++app->next_failures < NEXT_FAILURES_MAX) {
        if (app->next_failures == 1) {
            log_warn("the next event is asked for again: %s", err->message);
        }
        app->next_again_ms = now_ms(app) + (has_made_memory(app, err) ? 0 : NEXT_AGAIN_MS);
        return;
    }
    log_error("there is no next event, so the extension ends: %s", err->message);
    app->status = EXIT_FAILURE;
    app->ended = true;
}

static void on_lambda_event(void *context, const struct lambda_event *event,
                            const struct error *err) {
    struct app *app = context;
    app->next_asked = false;
    if (event == NULL) {
        on_next_failed(app, err);
        return;
    }
    app->next_failures = 0;
    if (event->type == LAMBDA_SHUTDOWN) {
        app->shutdown = *event;
        app->ended = true;
    } else {
        on_invoke(app, event);
    }
}

/* --- start --- */

/* From the configuration to a running subscription; false with *err when there is none. */
static bool start_shipping(struct app *app, struct error *err) {
    const struct shipping_settings settings = {
        .config = app->config,
        .function = &app->function,
        .http = app->http,
        .clock = app->clock,
        .events = {.context = app, .on_event = on_event_read},
        .troubles = {.context = app, .on_trouble = on_trouble},
    };
    if (!shipping_init(&app->shipping, &settings, err) ||
        !intake_open(&app->intake, app->config, app->shipping.queue, app->http, err)) {
        return false;
    }
    switch (intake_subscribe(&app->intake, app->config, &app->extensions, err)) {
    case LOGS_API_SUBSCRIBED:
        app->ships = true;
        return true;
    case LOGS_API_NOT_SUPPORTED:
        log_warn("this environment delivers no logs (a local emulator?): nothing will be shipped");
        return true;
    case LOGS_API_FAILED:
        break;
    }
    return false;
}

/* Nothing can be shipped. Either the function runs without its logs being shipped, or it fails. */
static bool may_go_on(struct app *app, const char *error_type, const char *reason) {
    if (app->config->on_config_error == ON_CONFIG_ERROR_CONTINUE) {
        log_error("the function runs, but no logs are shipped: %s", reason);
        return true;
    }
    struct error err = {0};
    log_error("the extension fails, as EXTENSION_LOG_ON_CONFIG_ERROR=fail asks for: %s", reason);
    if (!extensions_api_init_error(&app->extensions, error_type, reason, &err)) {
        log_error("init/error was not taken: %s", err.message);
    }
    return false;
}

static bool start(struct app *app, bool config_is_good) {
    struct error err = {0};
    if (!config_is_good) {
        return may_go_on(app, "Extension.ConfigInvalid", "there are mistakes in its settings");
    }
    return start_shipping(app, &err) || may_go_on(app, "Extension.StartFailed", err.message);
}

/* --- the loop --- */

static bool hold_is_over(struct app *app) {
    uint64_t position = 0;
    if (!app->hold.active || hold_ends_ms(&app->hold) <= now_ms(app)) {
        return true;
    }
    return hold_needs_delivery(&app->hold, &position) &&
           shipper_delivered_up_to(app->shipping.shipper, position) &&
           !intake_is_answering(&app->intake);
}

static void ask_next_when_ready(struct app *app) {
    struct error err = {0};
    if (app->next_asked || app->ended || now_ms(app) < app->next_again_ms || !hold_is_over(app)) {
        return;
    }
    hold_end(&app->hold, now_ms(app));
    if (app->next_failures == 0) {
        memory_reserve_fill(&app->reserve);
    }
    app->next_asked = true;
    if (!extensions_api_next(&app->extensions, on_lambda_event, app, &err)) {
        on_lambda_event(app, NULL, &err);
    }
}

static void pump_shipper(struct app *app) {
    app->pumped_ms = now_ms(app);
    app->heard = false;
    shipper_pump(app->shipping.shipper);
    if (app->heard) {
        app->heard_ms = now_ms(app);
    }
}

/* When what waits is to be searched for the end of the invocation: not while delivery goes on, for
 * then it is read soon. INT64_MAX: never. */
static int64_t foresight_due_ms(const struct app *app) {
    bool is_wanted = app->ships && hold_waits_for_runtime_done(&app->hold) &&
                     shipper_has_unsearched_input(app->shipping.shipper);
    return is_wanted ? app->heard_ms + STANDSTILL_MS : INT64_MAX;
}

/* Delivers what can be delivered, and learns of the end of an invocation even when nothing can. */
static void pump(struct app *app) {
    if (!app->ships) {
        return;
    }
    shipper_set_deadline(app->shipping.shipper, hold_delivery_ends_ms(&app->hold));
    pump_shipper(app);
    if (foresight_due_ms(app) <= now_ms(app) &&
        shipper_foresees_runtime_done(app->shipping.shipper, span_of_text(app->hold.request_id))) {
        hold_on_runtime_done_foreseen(&app->hold, now_ms(app));
    }
    hold_on_queue(&app->hold, intake_has_refused(&app->intake), now_ms(app));
}

/* The loop itself cannot go on. */
static void fail(struct app *app, const struct error *cause) {
    struct error err = {0};
    log_error("the extension ends: %s", cause->message);
    if (!extensions_api_exit_error(&app->extensions, "Extension.LoopFailed", cause->message,
                                   &err)) {
        log_error("exit/error was not taken: %s", err.message);
    }
    app->status = EXIT_FAILURE;
    app->ended = true;
}

/* A lack of memory may pass, and the function would fail with the extension. */
static void on_wait_failed(struct app *app, const struct error *err) {
    if (!has_made_memory(app, err) &&
        (err->code != ERR_MEMORY || ++app->wait_failures >= WAIT_FAILURES_MAX)) {
        fail(app, err);
    }
}

/* Waits until something happens, or until `until_ms` (monotonic; INT64_MAX: no bound). */
static void wait_until(struct app *app, int64_t until_ms) {
    struct error err = {0};
    int64_t wakeup = app->ships ? shipper_wakeup_ms(app->shipping.shipper) : INT64_MAX;
    until_ms = wakeup < until_ms ? wakeup : until_ms;
    int64_t left = until_ms == INT64_MAX ? -1 : until_ms - now_ms(app);
    if (until_ms != INT64_MAX && left < 0) {
        left = 0;
    }
    idle_wait_begins(&app->idle, now_ms(app));
    if (http_client_run(app->http, left, &err)) {
        app->wait_failures = 0;
    } else {
        on_wait_failed(app, &err);
    }
    idle_wait_ended(&app->idle, now_ms(app));
}

/* When the loop has to ask for the next event without any other cause. */
static int64_t next_is_due_ms(const struct app *app) {
    bool waits_for_another_try = !app->next_asked && app->next_failures > 0;
    return waits_for_another_try ? app->next_again_ms : hold_ends_ms(&app->hold);
}

static void loop(struct app *app) {
    while (!app->ended) {
        pump(app);
        ask_next_when_ready(app);
        int64_t next_due = next_is_due_ms(app);
        int64_t foresight_due = foresight_due_ms(app);
        wait_until(app, next_due < foresight_due ? next_due : foresight_due);
    }
}

/* --- shutdown --- */

static int64_t shutdown_deadline(const struct app *app) {
    int64_t deadline = monotonic_deadline(app, app->shutdown.deadline_ms, SHUTDOWN_MAX_MS);
    return deadline == INT64_MAX ? now_ms(app) + SHUTDOWN_FALLBACK_MS
                                 : deadline - SHUTDOWN_MARGIN_MS;
}

static int64_t quiet_needed_ms(const struct app *app) {
    if (invocation_awaits_report(&app->last)) {
        return SHUTDOWN_REPORT_MS;
    }
    int64_t quiet_ms = (int64_t)app->config->timeout_ms + SHUTDOWN_QUIET_MS;
    return quiet_ms < SHUTDOWN_QUIET_MAX_MS ? quiet_ms : SHUTDOWN_QUIET_MAX_MS;
}

/* The platform's last deliveries (platform.report comes only now): until none has come for a while.
 */
static void take_last_deliveries(struct app *app, int64_t deadline_ms) {
    app->heard_ms = now_ms(app);
    for (;;) {
        pump_shipper(app);
        int64_t quiet_at = app->heard_ms + quiet_needed_ms(app);
        int64_t until = quiet_at < deadline_ms ? quiet_at : deadline_ms;
        if (now_ms(app) >= until) {
            return;
        }
        wait_until(app, until);
    }
}

static void drain(struct app *app, int64_t deadline_ms) {
    shipper_end_of_input(app->shipping.shipper);
    pump_shipper(app);
    while (!shipper_idle(app->shipping.shipper) && now_ms(app) < deadline_ms) {
        wait_until(app, deadline_ms);
        shipper_end_of_input(app->shipping.shipper);
        pump_shipper(app);
    }
}

/* Goes the way of all events, behind what the function had logged until now. */
static void tell_of_termination(struct app *app, const struct invocation *invocation) {
    enum lambda_shutdown_reason reason = app->shutdown.shutdown_reason;
    if (!invocation_was_killed(invocation, reason)) {
        return;
    }
    CLEANUP(buf_done) struct buf body = buf_with_ceiling(1024);
    invocation_append_termination(invocation, reason, app->clock, &body);
    if (buf_failed(&body) || !batch_queue_push(app->shipping.queue, &body, NULL)) {
        log_warn("the end of request %s could not be told", invocation->request_id);
    }
}

static void tell_of_terminations(struct app *app) {
    tell_of_termination(app, &app->last);
    open_invocations_forget_old(&app->open, now_ms(app));
    for (size_t i = 0; i < app->open.count; i++) {
        tell_of_termination(app, &app->open.all[i]);
    }
}

static void shut_down(struct app *app) {
    if (app->ships) {
        int64_t deadline = shutdown_deadline(app);
        shipper_last_call(app->shipping.shipper, deadline);
        take_last_deliveries(app, deadline);
        intake_close(&app->intake);
        tell_of_terminations(app);
        drain(app, deadline);
        shipper_stop(app->shipping.shipper);
        shipping_log_totals(&app->shipping, app->hold.total_ms);
    }
}

/* --- from beginning to end --- */

static void fill_in(char *into, size_t size, struct span value) {
    if (into[0] == '\0') {
        (void)snprintf(into, size, "%.*s", SPAN_ARGS(value));
    }
}

static bool join_platform(struct app *app, const char *name, struct error *err) {
    char runtime_api[LAMBDA_NAME_BYTES];
    (void)snprintf(runtime_api, sizeof runtime_api, "%.*s", SPAN_ARGS(app->config->runtime_api));
    if (!extensions_api_init(&app->extensions, app->http, runtime_api, err) ||
        !extensions_api_register(&app->extensions, name, app->config->environment->lifecycle,
                                 &app->function, err)) {
        return false;
    }
    fill_in(app->function.name, sizeof app->function.name, app->config->function_name);
    fill_in(app->function.version, sizeof app->function.version, app->config->function_version);
    return true;
}

static void app_done(struct app *app) {
    intake_close(&app->intake);
    shipping_done(&app->shipping);
    http_client_destroy(app->http);
    open_invocations_done(&app->open);
    (void)memory_reserve_release(&app->reserve);
}

int app_run(const struct config *config, bool config_is_good, const char *name,
            const struct clock *clock) {
    CLEANUP(app_done) struct app app = {.config = config, .clock = clock};
    struct error err = {0};
    trouble_init(&app.trouble, clock);
    traffic_init(&app.traffic, (int64_t)config->max_delay_ms);
    hold_init(&app.hold, (struct hold_settings){
                             .hold_ms = (int64_t)config->hold_ms,
                             .timeout_ms = (int64_t)config->timeout_ms,
                         });
    app.http = client_create(config, clock, &err);
    if (app.http == NULL || !join_platform(&app, name, &err)) {
        log_error("the extension cannot start: %s", err.message);
        return EXIT_FAILURE;
    }
    if (!start(&app, config_is_good)) {
        return EXIT_FAILURE;
    }
    loop(&app);
    shut_down(&app);
    return app.status;
}
