#!/bin/bash
# SPDX-License-Identifier: MIT
# layer-zip.sh FOLDER ZIP    packs a layer so that the same files give the same bytes: fixed times, fixed order.
set -euo pipefail

staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT
cp -r "$1/extensions" "$staging"
find "$staging" -exec touch --date=1980-01-01T00:00:00Z {} +
(cd "$staging" && find extensions -type f | LC_ALL=C sort | TZ=UTC zip --quiet -X layer.zip -@)
mv "$staging/layer.zip" "$2"
