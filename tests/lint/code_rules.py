# SPDX-License-Identifier: MIT
"""The rules of this code base that no compiler knows: prints what breaks them, here or in FOLDER.

Dependencies point downwards, each third-party library has one door, some functions are not used,
and each source file names its licence.
"""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

# Which layers, or single headers, a layer may include beside its own (docs/architecture.md).
LAYERS = {
    "base": (),
    "net": ("base/",),
    "lambda": ("base/", "net/"),
    "aws": ("base/", "net/"),
    "pipeline": ("base/",),
    "destinations": ("base/", "net/", "aws/", "pipeline/destination.h"),
    "app": ("base/", "net/", "lambda/", "aws/", "pipeline/", "destinations/"),
}

# Where a library, or what asks the system for something, may be used: a file, or a folder.
DOORS = {
    r"#include <curl/": (
        "src/net/http_client.c",
        "src/net/http_exchange.c",
        "include/net/http_exchange.h",
    ),
    r"#include <microhttpd\.h>": ("src/net/http_listener.c",),
    r"#include <openssl/": ("src/base/crypto.c",),
    r"#include <libdeflate\.h>": ("src/base/gzip.c",),
    r"#include <(\w+intrin|arm_neon)\.h>": ("src/base/vector.c", "src/pipeline/json_plain.c"),
    r"#include <cjson/": ("src/lambda/", "src/aws/", "src/destinations/"),
    r"\b(secure_)?getenv\(|\benviron\b": ("src/app/config.c",),
    r"\b(clock_gettime|gettimeofday|time)\(": ("src/base/clock.c",),
    r"\b(exit|_exit|abort)\(": ("extensions/",),
}

BANNED = {
    "strcpy strcat strncpy strncat sprintf vsprintf strtok gets stpcpy": "write into a buf",
    "alloca": "the stack is not checked",
    "atoi atol atoll atof": "nonsense cannot be told from 0",
    "rand srand random drand48": "use base/crypto.h",
    "system popen": "starts a shell",
    "sleep usleep nanosleep": "wait in the event loop, or move a fake clock",
    "getaddrinfo gethostbyname gethostbyname2 getnameinfo getservbyname getpwnam getpwuid dlopen": (
        "a static glibc loads the host's modules for it"
    ),
}

LICENCE = "SPDX-License-Identifier: MIT"
LICENSED = {".c", ".h", ".py", ".sh", ".mk", ".mjs", ".js", ".ts", ".go", ".tf", ".hcl", ".yaml"}
LICENSED_NAMES = {"Makefile", "run", ".clang-format", ".clang-tidy", ".editorconfig"}
NOT_OURS = {".git", ".aws-sam", "build", "node_modules", "data", "corpus", "__pycache__"}

COMMENT_OR_STRING = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S
)
INCLUDE = re.compile(r'^\s*#include\s+(["<][^">]+[">])')
OWN_INCLUDE = re.compile(r'^\s*#include "([^"]+)"')


def violations(root: Path) -> Iterator[str]:
    """Each broken rule in the tree below root, as `file:line: what is wrong`."""
    for path in source_files(root):
        name = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8")
        if LICENCE not in "".join(text.splitlines(keepends=True)[:3]):
            yield f"{name}:1: no '{LICENCE}'"
        if path.suffix in (".c", ".h"):
            yield from c_violations(root, name, text)


def source_files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(set(folders) - NOT_OURS)
        for name in sorted(files):
            path = Path(folder, name)
            if path.suffix in LICENSED or name in LICENSED_NAMES:
                yield path


def c_violations(root: Path, name: str, text: str) -> Iterator[str]:
    code = without_comments_and_strings(text).splitlines()
    product = name.startswith(("src/", "include/", "extensions/"))
    for number, line in enumerate(code, start=1):
        where = f"{name}:{number}"
        yield from banned_calls(where, line)
        if product:
            yield from wrong_includes(where, name, line)
            yield from wrong_doors(where, name, line)
    if name.startswith("src/"):
        yield from own_header_not_first(root, name, code)
    if name.startswith("include/") and "#pragma once" not in code:
        yield f"{name}:1: no #pragma once"


def without_comments_and_strings(text: str) -> str:
    """The code alone, on the same lines. What is included stays."""

    def blank(match: re.Match[str]) -> str:
        line_start = text.rfind("\n", 0, match.start()) + 1
        if text[line_start : match.start()].strip() == "#include":
            return match[0]
        return "\n" * match[0].count("\n") or " "

    return COMMENT_OR_STRING.sub(blank, text)


def banned_calls(where: str, line: str) -> Iterator[str]:
    for functions, reason in BANNED.items():
        for function in functions.split():
            if re.search(rf"(?<![\w.>]){function}\s*\(", line):
                yield f"{where}: {function}() is not used here: {reason}"


def wrong_includes(where: str, name: str, line: str) -> Iterator[str]:
    included = OWN_INCLUDE.match(line)
    parts = name.split("/")
    if not included or parts[0] == "extensions" or "/" not in included[1]:
        return
    layer = parts[1]
    if layer not in LAYERS:
        yield f"{where}: {layer} is no layer"
    elif not included[1].startswith((f"{layer}/", *LAYERS[layer])):
        yield f"{where}: {layer} may not include {included[1]}"


def wrong_doors(where: str, name: str, line: str) -> Iterator[str]:
    for pattern, doors in DOORS.items():
        found = re.search(pattern, line)
        if found and not name.startswith(doors):
            yield f"{where}: '{found[0]}' belongs into {' or '.join(doors)}"


def own_header_not_first(root: Path, name: str, code: list[str]) -> Iterator[str]:
    header = name.removeprefix("src/").removesuffix(".c") + ".h"
    includes = [found[1] for line in code if (found := INCLUDE.match(line))]
    if (root / "include" / header).exists() and includes[:1] != [f'"{header}"']:
        yield f"{name}:1: includes something before its own header {header}"


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    found = list(violations(root))
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
