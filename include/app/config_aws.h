// SPDX-License-Identifier: MIT
/* The part of the configuration that every AWS SDK reads: region, endpoints, credentials, proxies
 * and whom to believe. Pure. */
#pragma once

#include "app/config.h"

/* Fills in that part, once the settings of the extension itself are in *ret. Mistakes are appended
 * to *report. `environment` must outlive *ret. */
void config_read_aws(char *const *environment, struct config *ret, struct config_report *report);
