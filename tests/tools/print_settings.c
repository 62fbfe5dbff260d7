// SPDX-License-Identifier: MIT
/* Prints the settings table of the README. */
#include "app/config.h"

int main(void) {
    config_print_settings(stdout);
    return 0;
}
