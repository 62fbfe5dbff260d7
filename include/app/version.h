// SPDX-License-Identifier: MIT
/* The version of the program: `--version` prints it, and `make release` names its files by it. */
#pragma once

#define VERSION "0.1.0"
