# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by scripts that fetch from Debian: `apt_private` is an apt-get that reads the machine's own package sources,
# with deb-src added and for the architecture at hand, and keeps everything else to itself. The machine's apt is neither
# changed nor asked for root, and another architecture's packages are fetched without telling its dpkg.

# apt_private_setup DIRECTORY DEBIAN_ARCHITECTURE
apt_private_setup() {
    local directory=$1 architecture=$2
    mkdir -p "$directory/lists/partial" "$directory/cache/archives/partial" "$directory/sources.list.d"
    : >"$directory/status"
    debian_sources >"$directory/sources.list.d/debian.sources"
    if ! [ -s "$directory/sources.list.d/debian.sources" ]; then
        echo "error: /etc/apt names no source of Debian 12 (bookworm) main" >&2
        return 1
    fi
    apt_options=(
        -qq
        -o "Dir::Etc::sourcelist=/dev/null"
        -o "Dir::Etc::sourceparts=$directory/sources.list.d"
        -o "Dir::State=$directory"
        -o "Dir::State::lists=$directory/lists"
        -o "Dir::State::status=$directory/status"
        -o "Dir::Cache=$directory/cache"
        -o "APT::Architecture=$architecture"
        -o "APT::Architectures::=$architecture"
        -o "APT::Sandbox::User=root"
        -o "Acquire::Languages=none"
        -o "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false"
        -o "Acquire::Retries=3"
    )
    apt_private update
}

apt_private() {
    apt-get "${apt_options[@]}" "$@"
}

# Every source of bookworm main that the machine has, in either of apt's two notations, as deb822 with sources.
debian_sources() {
    local file
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -e "$file" ] && one_line_sources <"$file"
    done
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -e "$file" ] && deb822_sources <"$file"
    done
    return 0
}

one_line_sources() {
    perl -ne '
        my ($options, $uri, $suite, $components) =
            /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(bookworm(?:-updates|-security)?)\s+([^#]*)/ or next;
        next unless $components =~ /\bmain\b/;
        print "Types: deb deb-src\nURIs: $uri\nSuites: $suite\nComponents: main\n";
        print "Signed-By: $1\n" if ($options // "") =~ /signed-by=(\S+)/;
        print "Trusted: $1\n" if ($options // "") =~ /trusted=(\S+)/;
        print "\n";
    '
}

deb822_sources() {
    perl -00 -ne '
        s/^#.*\n?//mg;
        next if /^Enabled:\s*no\b/mi or !/^Types:.*\bdeb(?!-)\b/mi or !/^Components:.*\bmain\b/mi;
        my ($suites) = /^Suites:(.*(?:\n[ \t].*)*)/mi or next;
        my @bookworm = grep { /^bookworm(-updates|-security)?$/ } split " ", $suites;
        next unless @bookworm;
        s/^(Types|Suites|Components|Architectures):.*\n(?:[ \t].*\n)*//mgi;
        s/\s+\z//;
        print "Types: deb deb-src\nSuites: @bookworm\nComponents: main\n$_\n\n";
    '
}
