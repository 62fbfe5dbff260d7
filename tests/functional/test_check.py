# SPDX-License-Identifier: MIT
"""--check: somebody runs the binary by hand with a function's environment."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from outcome import free_port

from kinesis import MotoServer, MotoStream, events_in
from kinesis.moto_server import REGION
from lambda_environment.settings import Credentials

LIMIT_S = 60
Check = Callable[..., tuple[int, str]]


def variables_of(
    stream: MotoStream, server: MotoServer, credentials: Credentials
) -> dict[str, str]:
    return {
        "AWS_KINESIS_STREAM_NAME": stream.name,
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token or "",
    }


@pytest.fixture
def check(extension_binary: Path, kinesis: MotoStream, moto_server: MotoServer) -> Check:
    """check("--check", NAME=value): exit status and output, with a role that may write."""

    def run(argument: str, **more: str) -> tuple[int, str]:
        variables = variables_of(kinesis, moto_server, kinesis.credentials) | more
        done = subprocess.run(
            [extension_binary, argument],
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        for secret in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            assert not variables[secret] or variables[secret] not in done.stdout
        print(done.stdout)
        return done.returncode, done.stdout

    return run


def test_it_prints_what_the_settings_come_to_and_who_writes_and_sends_nothing(
    check: Check, kinesis: MotoStream, moto_server: MotoServer
) -> None:
    status, text = check("--check", EXTENSION_LOG_FLUSH="end")
    assert status == 0
    words = [line.split() for line in text.splitlines()]
    assert ["EXTENSION_LOG_FLUSH", "end"] in words
    assert ["EXTENSION_LOG_FORMAT", "ndjson", "(default)"] in words
    assert ["stream", kinesis.name] in words
    assert ["endpoint", moto_server.endpoint] in words
    assert ["source", "environment", "variables"] in words
    assert ["AWS_ACCESS_KEY_ID", "***" + kinesis.credentials.access_key_id[-4:]] in words
    [identity] = [line for line in text.splitlines() if line.split()[0] == "identity"]
    assert f"assumed-role/{kinesis.writer_arn.rsplit('/', 1)[1]}/function" in identity
    assert "Nothing was found that would fail." in text
    assert kinesis.records() == []


@pytest.mark.parametrize("output", ["ndjson", "batch", "kpl", "cloudwatch"])
def test_a_test_record_goes_the_way_of_all_events(
    check: Check, kinesis: MotoStream, output: str
) -> None:
    status, text = check("--check=send", EXTENSION_LOG_FORMAT=output)
    assert (status, "delivered" in text) == (0, True)
    if output == "cloudwatch":
        assert len(kinesis.records()) == 1
    else:
        [event] = events_in(kinesis.records())
        assert event["type"] == "extension.check"
        assert event["record"]["message"] == "a test record"


def test_mistakes_in_the_settings_are_all_told(check: Check) -> None:
    status, text = check("--check", EXTENSION_LOG_FLUSH="soon", EXTENSION_LOG_FORMAT="xml")
    assert status == 1
    assert "WOULD FAIL: EXTENSION_LOG_FLUSH=soon" in text
    assert "WOULD FAIL: EXTENSION_LOG_FORMAT=xml" in text


def test_a_stream_that_is_not_there_is_told_with_what_helps(check: Check) -> None:
    status, text = check("--check=send", AWS_KINESIS_STREAM_NAME="another")
    assert status == 1
    assert "AccessDenied" in text
    assert "kinesis:PutRecords" in text


def test_credentials_that_are_not_good_are_told_with_what_helps(check: Check) -> None:
    status, text = check("--check", AWS_ACCESS_KEY_ID="AKIANOBODYKNOWSTHIS1")
    assert status == 1
    assert "WOULD FAIL: HTTP status 403" in text
    assert "take them from the function anew" in text


def test_no_credentials_at_all_are_told(check: Check) -> None:
    status, text = check("--check", AWS_ACCESS_KEY_ID="")
    assert status == 1
    assert "AWS_ACCESS_KEY_ID is not set" in text


def test_a_role_that_cannot_be_assumed_is_told_with_what_helps(check: Check) -> None:
    role = "arn:aws:iam::123456789012:role/nobody-may"
    status, text = check("--check=send", EXTENSION_LOG_ROLE_ARN=role)
    assert status == 1
    assert "EXTENSION_LOG_ROLE_ARN cannot be assumed" in text
    assert "sts:AssumeRole" in text


def test_an_endpoint_that_is_not_reached_is_told_and_an_unreached_sts_is_no_fault(
    check: Check,
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    status, text = check("--check", AWS_ENDPOINT_URL_STS=nobody)
    assert status == 0
    assert "not known: no answer from STS" in text
    status, text = check("--check=send", AWS_ENDPOINT_URL=nobody)
    assert status == 1
    assert "WOULD FAIL: no answer: " in text
    assert "NAT gateway" in text


def test_the_password_of_a_proxy_is_not_shown(check: Check) -> None:
    _, text = check("--check", HTTPS_PROXY="http://me:open-sesame@127.0.0.1:9")
    assert "http://***@127.0.0.1:9" in text
    assert "open-sesame" not in text
