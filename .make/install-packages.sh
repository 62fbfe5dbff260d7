#!/bin/bash
# SPDX-License-Identifier: MIT
# install-packages.sh PACKAGE|COMMAND:PACKAGE...    installs the Debian packages that are missing.
# COMMAND:PACKAGE is content with a command of that name from anywhere (a Node.js of the user's own, say).
set -euo pipefail

# One at a time: make runs several of these, and apt takes one.
exec {lock}<"$0"
flock "$lock"

missing=()
for wanted in "$@"; do
    command=${wanted%%:*} package=${wanted#*:}
    if [ "$command" != "$package" ] && command -v "$command" >/dev/null; then
        continue
    fi
    status=$(dpkg-query --showformat='${db:Status-Status}' --show "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release; then
    echo "error: missing ${missing[*]}; this builds with the packages of Debian 12 (in a container: debian:12)" >&2
    exit 1
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "error: install as root: apt-get install ${missing[*]}" >&2 && exit 1; }
    as_root=(sudo)
fi

echo "installing from Debian: ${missing[*]}"
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)
# A source that does not answer matters only if it has what is wanted; then the installation says so.
"${apt[@]}" update || true
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! "${apt[@]}" install --yes --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
