# SPDX-License-Identifier: MIT
"""`make bench`: what the extension costs."""
