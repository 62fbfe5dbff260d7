#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds what the extension is linked with, for one architecture, as static archives:
#   static-libraries.sh x86_64|arm64 DIRECTORY     leaves DIRECTORY/include, DIRECTORY/lib and DIRECTORY/VERSIONS
# libcurl, libmicrohttpd and cJSON come from Debian's source packages, cut down to what is used; OpenSSL, c-ares and
# libdeflate are the archives in Debian's -dev packages. docs/adr says why the binary is static.
set -euo pipefail
unset MAKEFLAGS MAKELEVEL # the makes below are their own, also when make started this script
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=.make/apt-private.sh
. "$here/apt-private.sh"

architecture=$1
mkdir -p "$(dirname "$2")"
target=$(realpath "$2")
destination=$target.new # moved to where it belongs when it is complete
work=$destination/work
case $architecture in
    x86_64) debian_architecture=amd64 triplet=x86_64-linux-gnu ;;
    arm64) debian_architecture=arm64 triplet=aarch64-linux-gnu ;;
    *) echo "error: ARCH=$architecture; it is x86_64 or arm64" >&2 && exit 2 ;;
esac

prebuilt=(libssl-dev libc-ares-dev libdeflate-dev)
from_source=(curl libmicrohttpd cjson)

# The flags of the shipped binary: sections that nobody calls are left out by the linker.
export CC=$triplet-gcc AR=$triplet-gcc-ar RANLIB=$triplet-gcc-ranlib
export CFLAGS="-O2 -g1 -ffunction-sections -fdata-sections -fPIE -fstack-protector-strong -ffile-prefix-map=$work=."
export CPPFLAGS="-I$destination/include -D_FORTIFY_SOURCE=2"
export LDFLAGS="-L$destination/lib"

main() {
    exec {lock}>"$target.lock"
    flock "$lock"
    if [ "$target/VERSIONS" -nt "$0" ] && [ "$target/VERSIONS" -nt "$here/apt-private.sh" ]; then
        return # another make in this folder has just made them
    fi
    echo "static libraries for $architecture: OpenSSL, c-ares, libdeflate, libcurl, libmicrohttpd, cJSON (about a minute)"
    rm -rf "$destination" && mkdir -p "$work/packages" "$destination/include" "$destination/lib"
    apt_private_setup "$work/apt" "$debian_architecture"
    logged fetch
    logged unpack_prebuilt
    logged build_cjson
    together build_libmicrohttpd build_libcurl
    write_versions >"$destination/VERSIONS"
    rm -rf "$work" "$target"
    mv "$destination" "$target"
}

# Runs one step silently; its output is shown when it fails.
# In the background, because bash ignores `set -e` inside the condition of an if.
logged() {
    local log=$work/$1.log
    "$@" >"$log" 2>&1 &
    if ! wait $!; then
        tail -n 40 "$log" >&2
        echo "error: $1 failed for $architecture (the end of $log is above)" >&2
        exit 1
    fi
}

# Most of the time goes to configure scripts, which use one processor each.
together() {
    local step pids=() failed=0
    for step in "$@"; do
        logged "$step" &
        pids+=($!)
    done
    for step in "${pids[@]}"; do
        wait "$step" || failed=1
    done
    return $failed
}

fetch() {
    cd "$work/packages"
    apt_private download "${prebuilt[@]}"
    apt_private source "${from_source[@]}"
}

unpack_prebuilt() {
    local package
    for package in "$work"/packages/*.deb; do
        dpkg-deb -x "$package" "$work/prebuilt"
    done
    cp -r "$work"/prebuilt/usr/include/. "$destination/include"
    # Debian keeps the headers that differ by architecture apart; here there is one architecture.
    cp -r "$destination/include/$triplet/." "$destination/include"
    rm -r "${destination:?}/include/$triplet"
    cp "$work/prebuilt/usr/lib/$triplet"/lib{ssl,crypto,cares,deflate}.a "$destination/lib"
}

build_cjson() {
    cd "$work"/packages/cjson-*/
    # shellcheck disable=SC2086 # flags are words
    $CC $CPPFLAGS $CFLAGS -c cJSON.c -o cJSON.o
    "$AR" rcs "$destination/lib/libcjson.a" cJSON.o
    install -D -m 644 cJSON.h "$destination/include/cjson/cJSON.h"
}

build_libmicrohttpd() {
    cd "$work"/packages/libmicrohttpd-*/
    ./configure --quiet --host="$triplet" --prefix="$destination" --enable-static --disable-shared \
        --disable-https --disable-postprocessor --disable-dauth --disable-bauth --disable-cookie --disable-httpupgrade \
        --disable-doc --disable-examples --disable-curl --disable-tools --enable-epoll --enable-messages
    make_library src/microhttpd libmicrohttpd.la
    install -m 644 src/include/microhttpd.h "$destination/include/microhttpd.h"
}

build_libcurl() {
    cd "$work"/packages/curl-*/
    LIBS="-ldl -pthread" ./configure --quiet --host="$triplet" --prefix="$destination" --enable-static --disable-shared \
        --with-openssl="$destination" --enable-ares="$destination" --disable-openssl-auto-load-config \
        --without-ca-bundle --without-ca-path --without-zlib --without-brotli --without-zstd --without-nghttp2 \
        --without-libidn2 --without-libpsl --without-librtmp --without-libssh2 --without-libgsasl \
        --disable-ftp --disable-file --disable-ldap --disable-ldaps --disable-rtsp --disable-dict --disable-telnet \
        --disable-tftp --disable-pop3 --disable-imap --disable-smb --disable-smtp --disable-gopher --disable-mqtt \
        --disable-manual --disable-libcurl-option --disable-crypto-auth --disable-ntlm --disable-ntlm-wb --disable-tls-srp \
        --disable-cookies --disable-netrc --disable-alt-svc --disable-hsts --disable-doh --disable-mime \
        --disable-dateparse --disable-progress-meter --disable-get-easy-options --disable-unix-sockets --enable-proxy
    make_library lib libcurl.la
    cp -r include/curl "$destination/include"
    rm -f "$destination"/include/curl/Makefile*
}

# make_library DIRECTORY LIBTOOL_LIBRARY: the generated build system is taken as upstream released it, not made again.
make_library() {
    make --directory="$1" --jobs="$(nproc)" ACLOCAL=: AUTOCONF=: AUTOMAKE=: AUTOHEADER=: "$2"
    cp "$1/.libs/${2%.la}.a" "$destination/lib"
}

write_versions() {
    local file
    echo "Static libraries of the $architecture binary: Debian source package and version"
    for file in "$work"/packages/*.deb; do
        # shellcheck disable=SC2016 # fields of dpkg-deb
        dpkg-deb --showformat='${source:Package} ${source:Version}\n' --show "$file"
    done
    for file in "$work"/packages/*.dsc; do
        awk '$1 == "Source:" { name = $2 } $1 == "Version:" { version = $2 } END { print name, version }' "$file"
    done
}

main
