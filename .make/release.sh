#!/bin/bash
# SPDX-License-Identifier: MIT
# release.sh NAME VERSION DIRECTORY    gathers what is published: for each architecture the layer's zip and an SBOM of
# what is linked into it, the licences of all that, and checksums. The layers have been made.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=.make/apt-private.sh
. "$here/apt-private.sh"

name=$1 version=$2 target=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Name and version of each package with something in the binary of one architecture; the toolchain's own last.
components() {
    local architecture=$1 suffix=
    [ "$architecture" = "$(machine)" ] || suffix=-$(debian_name "$architecture")-cross
    tail -n +2 "build/libraries/$architecture/VERSIONS"
    # shellcheck disable=SC2016 # fields of dpkg-query
    dpkg-query --showformat='${Package} ${Version}\n' --show "libc6-dev$suffix" "libgcc-12-dev$suffix" \
        ca-certificates
}

machine() { uname -m | sed s/aarch64/arm64/; }
debian_name() { echo "${1/x86_64/amd64}"; }

# What Debian says of the rights in each, which is what their authors ask to be passed on.
licences() {
    local package
    cd "$work"
    apt_private_setup "$work/apt" "$(dpkg --print-architecture)"
    apt_private download libcurl4-openssl-dev libmicrohttpd-dev libcjson-dev libssl-dev libc-ares-dev libdeflate-dev
    for package in *.deb; do
        dpkg-deb -x "$package" "$work/root"
    done
    cd "$OLDPWD"
    for file in "$work"/root/usr/share/doc/*/copyright /usr/share/doc/{libc6-dev,gcc-12-base,ca-certificates}/copyright; do
        printf '\n===== %s =====\n\n' "$(basename "$(dirname "$file")")"
        cat "$file"
    done
}

rm -rf "$target"
mkdir -p "$target"
for architecture in x86_64 arm64; do
    cp "build/layer-$architecture.zip" "$target/$name-$version-$architecture.zip"
    components "$architecture" |
        /usr/bin/python3 "$here/sbom.py" "$name" "$version" "$target/$name-$version-$architecture.zip" \
            >"$target/$name-$version-$architecture.cdx.json"
done
{ cat LICENSE && licences; } >"$target/LICENSES.txt"
(cd "$target" && sha256sum -- * >"$work/SHA256SUMS" && mv "$work/SHA256SUMS" .)
ls "$target"
