// SPDX-License-Identifier: MIT
// A module that cannot be loaded.
throw new Error('broken at load');
