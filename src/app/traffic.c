// SPDX-License-Identifier: MIT
#include "app/traffic.h"

void traffic_init(struct traffic *traffic, int64_t max_delay_ms) {
    *traffic = (struct traffic){.max_delay_ms = max_delay_ms};
}

static int64_t bounded(const struct traffic *traffic, int64_t gap_ms) {
    int64_t most = traffic->max_delay_ms * TRAFFIC_GAP_FACTOR_MAX;
    return gap_ms < most ? gap_ms : most;
}

bool traffic_begin(struct traffic *traffic, int64_t gap_ms) {
    int64_t gap = bounded(traffic, gap_ms);
    traffic->invocations++;
    if (traffic->invocations == 2) {
        traffic->average_gap_ms = gap; /* the first gap between two invocations */
    } else if (traffic->invocations > 2) {
        traffic->average_gap_ms += (gap - traffic->average_gap_ms) / TRAFFIC_WEIGHT_DIVISOR;
    }
    return traffic->invocations <= TRAFFIC_FIRST_HELD ||
           traffic->average_gap_ms > traffic->max_delay_ms || traffic->max_delay_ms == 0;
}
