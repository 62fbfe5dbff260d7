# SPDX-License-Identifier: MIT
"""The lint script finds what it is there for, and nothing else."""

from pathlib import Path

import pytest
from code_rules import violations

LICENCE = "// SPDX-License-Identifier: MIT\n"


def lint(root: Path, **files: str) -> list[str]:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return list(violations(root))


def lint_code(root: Path, name: str, code: str) -> list[str]:
    return lint(root, **{name: LICENCE + code})


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("src/base/buf.c", '#include "net/http_client.h"'),
        ("src/net/http_client.c", '#include "aws/sigv4.h"'),
        ("src/lambda/logs_api.c", '#include "pipeline/event.h"'),
        ("src/pipeline/shipper.c", '#include "destinations/kinesis.h"'),
        ("src/destinations/kinesis.c", '#include "pipeline/shipper.h"'),
        ("src/pipeline/event.c", "#include <cjson/cJSON.h>"),
        ("src/aws/aws_call.c", "#include <curl/curl.h>"),
        ("src/app/app.c", "#include <microhttpd.h>"),
        ("src/aws/sigv4.c", "#include <openssl/hmac.h>"),
        ("src/pipeline/format_ndjson.c", "#include <libdeflate.h>"),
        ("src/aws/credentials.c", 'const char *key = getenv("AWS_ACCESS_KEY_ID");'),
        ("src/pipeline/retry.c", "clock_gettime(CLOCK_MONOTONIC, &now);"),
        ("src/app/app.c", "exit(1);"),
        ("src/misc/x.c", '#include "base/buf.h"'),
        ("src/base/buf.c", "strcpy(to, from);"),
        ("tests/unit/base/test_buf.c", "strcat(to, from);"),
        ("tests/unit/base/test_clock.c", "sleep (1);"),
        ("src/net/address.c", "getaddrinfo(name, 0, 0, &found);"),
        ("include/base/buf.h", "struct buf;"),
    ],
)
def test_one_line_that_breaks_a_rule_is_found(tmp_path: Path, name: str, code: str) -> None:
    (found,) = lint_code(tmp_path, name, code)

    assert found.startswith(f"{name}:")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("src/app/app.c", '#include "pipeline/shipper.h"'),
        ("src/destinations/kinesis.c", '#include "pipeline/destination.h"'),
        ("src/net/http_client.c", "#include <curl/curl.h>"),
        ("src/app/config.c", "getenv(name);"),
        ("extensions/program.c", "exit(1);"),
        ("src/base/buf.c", '/* never\n strcpy(to, from) */ // gets(it)\nprint("sprintf(x)");'),
        ("src/base/buf.c", "wait_time(&now); snprintf(to, 1, from); strtok_like(); fake.sleep(1);"),
        ("include/base/buf.h", "#pragma once\nstruct buf;"),
    ],
)
def test_what_keeps_the_rules_is_left_alone(tmp_path: Path, name: str, code: str) -> None:
    assert lint_code(tmp_path, name, code) == []


def test_a_source_includes_its_own_header_first(tmp_path: Path) -> None:
    header = LICENCE + "#pragma once\n"
    source = LICENCE + '#include <stdio.h>\n#include "base/buf.h"\n'

    found = lint(tmp_path, **{"include/base/buf.h": header, "src/base/buf.c": source})

    assert found == ["src/base/buf.c:1: includes something before its own header base/buf.h"]


@pytest.mark.parametrize("name", ["src/base/buf.c", "tests/x.py", "Makefile", "template.yaml"])
def test_a_file_without_a_licence_is_found(tmp_path: Path, name: str) -> None:
    assert lint(tmp_path, **{name: "\n"}) == [f"{name}:1: no 'SPDX-License-Identifier: MIT'"]
