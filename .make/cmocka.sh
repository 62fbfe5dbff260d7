#!/bin/bash
# SPDX-License-Identifier: MIT
# cmocka.sh x86_64|arm64 DIRECTORY    fetches Debian's cmocka of that architecture, for unit tests of the other one than
# this machine's: leaves DIRECTORY/include and DIRECTORY/lib.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=.make/apt-private.sh
. "$here/apt-private.sh"

case $1 in
    x86_64) debian_architecture=amd64 triplet=x86_64-linux-gnu ;;
    arm64) debian_architecture=arm64 triplet=aarch64-linux-gnu ;;
    *) echo "error: ARCH=$1; it is x86_64 or arm64" >&2 && exit 2 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
apt_private_setup "$work/apt" "$debian_architecture"
mkdir "$work/packages" && cd "$work/packages"
apt_private download libcmocka-dev libcmocka0
for package in *.deb; do
    dpkg-deb -x "$package" "$work/root"
done
cd "$OLDPWD"
rm -rf "$2"
mkdir -p "$2"
cp -r "$work/root/usr/include" "$2"
cp -r "$work/root/usr/lib/$triplet" "$2/lib"
