#!/bin/bash
# SPDX-License-Identifier: MIT
# Prints a C header with the root certificates that AWS endpoints chain to, from Debian's ca-certificates.
set -euo pipefail

certificates=${1:-/usr/share/ca-certificates/mozilla}
roots=(
    Amazon_Root_CA_1
    Amazon_Root_CA_2
    Amazon_Root_CA_3
    Amazon_Root_CA_4
    Starfield_Services_Root_Certificate_Authority_-_G2
)

echo "/* SPDX-License-Identifier: MIT */"
echo "/* Made by .make/amazon-roots.sh from Debian's ca-certificates. */"
echo "#pragma once"
echo "static const char amazon_roots_pem[] ="
for root in "${roots[@]}"; do
    file=$certificates/$root.crt
    if ! grep -q "BEGIN CERTIFICATE" "$file" 2>/dev/null; then
        echo "error: no certificate in $file; is the package ca-certificates complete?" >&2
        exit 1
    fi
    echo "    /* $root */"
    sed -e 's/^/    "/' -e 's/[[:space:]]*$/\\n"/' "$file"
done
echo "    ;"
