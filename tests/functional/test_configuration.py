# SPDX-License-Identifier: MIT
"""Mistakes in the settings are told all at once, and take the function down only where asked to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from outcome import NO_HOLD_MS, assert_all_arrived, messages, on_free_port, shut_down
from platform_double import INIT_ERROR, REGISTER, PlatformDouble

from kinesis import KinesisStub
from lambda_environment import LambdaEnvironment

Environments = Callable[..., LambdaEnvironment]

MISTAKES = {
    "HTTP_LOGS_LISTENER_PORT": "9001",
    "EXTENSION_LOG_API": "telegraph",
    "EXTENSION_LOG_TYPES": "platform,funktion",
    "EXTENSION_LOG_MAX_ITEMS": "999",
    "EXTENSION_LOG_MAX_BYTES": "1048577",
    "EXTENSION_LOG_TIMEOUT_MS": "24",
    "EXTENSION_LOG_FLUSH": "sometimes",
    "EXTENSION_LOG_MAX_DELAY_MS": "-1",
    "EXTENSION_LOG_HOLD_MS": "1e3",
    "EXTENSION_LOG_FORMAT": "xml",
    "EXTENSION_LOG_COMPRESSION": "zip",
    "EXTENSION_LOG_RECORD_BYTES": "999",
    "EXTENSION_LOG_PARTITION_KEY": "none",
    "EXTENSION_LOG_ENRICH": "yes",
    "EXTENSION_LOG_TAGS": "team",
    "EXTENSION_LOG_QUEUE_BYTES": "8MB",
    "EXTENSION_LOG_SPOOL_BYTES": "99999999999999999999999",
    "EXTENSION_LOG_LEVEL": "loud",
}


def test_all_mistakes_are_told_in_one_start_with_value_and_what_is_allowed(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(
        kinesis_stub, {**MISTAKES, "AWS_KINESIS_STREAM_NAME": "no such name!"}
    )
    errors = messages(environment, "error")
    for name, value in MISTAKES.items():
        [line] = [error for error in errors if error.startswith(f"{name}={value} ")]
        assert "allowed" in line
    assert any("AWS_KINESIS_STREAM_NAME=no such name!" in error for error in errors)
    assert "no logs are shipped" in errors[-1]
    assert len(errors) == len(MISTAKES) + 2


def test_with_a_mistake_the_function_runs_at_its_own_pace_and_nothing_is_shipped(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    # pain 15: a bad setting takes the function down
    environment = lambda_environment(kinesis_stub, {"EXTENSION_LOG_FORMAT": "xml"})
    invocations = [environment.invoke(output=["a line\n"]) for _ in range(3)]
    assert [invocation.status for invocation in invocations] == ["success"] * 3
    assert max(invocation.kept_awake_ms for invocation in invocations) < NO_HOLD_MS
    assert shut_down(environment).exit_code == 0
    assert kinesis_stub.requests() == []
    assert environment.emitted == [], "it did not ask for logs that it cannot ship"


@pytest.mark.parametrize("variables", [{}, {"AWS_KINESIS_STREAM_NAME": "  "}])
def test_without_a_stream_it_says_which_variable_is_missing(
    lambda_environment: Environments, variables: dict[str, str]
) -> None:
    environment = lambda_environment(variables=variables)
    assert any("AWS_KINESIS_STREAM_NAME is not set" in error for error in messages(environment))


async def test_when_that_is_wanted_a_mistake_fails_the_start_with_its_reason(
    extension_binary: Path,
) -> None:
    platform = PlatformDouble(answers={INIT_ERROR: (202, {"status": "OK"})})
    variables = {"EXTENSION_LOG_ON_CONFIG_ERROR": "fail", "EXTENSION_LOG_FORMAT": "xml"}
    ended = await platform.run(extension_binary, variables)
    assert ended.exit_code == 1
    assert platform.paths == [REGISTER, INIT_ERROR], "after init/error no call succeeds"
    call = platform.call(INIT_ERROR)
    assert call.method == "POST"
    assert call.headers["Lambda-Extension-Function-Error-Type"] == "Extension.ConfigInvalid"
    assert call.json["errorType"] == "Extension.ConfigInvalid"
    assert call.json["stackTrace"] == []
    assert call.json["errorMessage"]
    assert "EXTENSION_LOG_FORMAT=xml" in ended.output


def test_when_that_is_wanted_a_mistake_fails_the_init_of_the_environment(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    wanted = {"EXTENSION_LOG_ON_CONFIG_ERROR": "fail", "EXTENSION_LOG_HOLD_MS": "long"}
    environment = lambda_environment(kinesis_stub, wanted, start=False)
    assert environment.start().error_type == "Extension.ConfigInvalid"


def test_a_mistake_in_what_to_do_about_mistakes_lets_the_function_run(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    wanted = {"EXTENSION_LOG_ON_CONFIG_ERROR": "crash"}
    environment = lambda_environment(kinesis_stub, wanted)
    assert environment.invoke().status == "success"


def test_a_name_that_it_does_not_know_is_told_with_the_nearest_one_and_harms_nothing(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    typing_errors = {"EXTENSION_LOG_FLUSCH": "end", "EXTENSION_LOG_TAG": "team=payments"}
    environment = lambda_environment(kinesis_stub, typing_errors | on_free_port())
    environment.invoke(output=["a line\n"])
    shut_down(environment)
    warnings = messages(environment, "warn")
    assert len(warnings) == 2
    for name, nearest in (("FLUSCH", "FLUSH"), ("TAG", "TAGS")):
        assert any(
            f"EXTENSION_LOG_{name} " in w and f"EXTENSION_LOG_{nearest}?" in w for w in warnings
        )
    assert_all_arrived(environment, kinesis_stub)


@pytest.mark.parametrize("level", ["debug", "info"])
def test_no_secret_is_ever_printed(
    lambda_environment: Environments, kinesis_stub: KinesisStub, level: str
) -> None:
    environment = lambda_environment(kinesis_stub, {**MISTAKES, "EXTENSION_LOG_LEVEL": level})
    shut_down(environment)
    working = lambda_environment(kinesis_stub, {"EXTENSION_LOG_LEVEL": level})
    working.invoke(output=["what the function said\n"])
    shut_down(working)
    text = "".join(environment.extension_output + working.extension_output)
    secret = kinesis_stub.credentials
    for word in (secret.secret_access_key, secret.session_token, "Signature=", "function said"):
        assert word is not None
        assert word not in text


def test_a_password_in_an_endpoint_is_not_printed(lambda_environment: Environments) -> None:
    for url in (
        "http://user:pa55word@127.0.0.1:1/",
        "ftp://user:pa55word@host",
        "http://:pa55word@",
    ):
        variables = {"AWS_KINESIS_STREAM_NAME": "logs", "AWS_ENDPOINT_URL_KINESIS": url}
        environment = lambda_environment(variables=variables)
        environment.invoke(output=["a line\n"])
        shut_down(environment)
        assert "pa55word" not in "".join(environment.extension_output)


@pytest.mark.parametrize(("level", "least"), [("error", 0), ("warn", 0), ("info", 1)])
def test_says_no_more_than_it_was_told_to(
    lambda_environment: Environments, kinesis_stub: KinesisStub, level: str, least: int
) -> None:
    environment = lambda_environment(kinesis_stub, {"EXTENSION_LOG_LEVEL": level} | on_free_port())
    environment.invoke(output=["a line\n"])
    shut_down(environment)
    assert len(messages(environment)) == least


def test_what_it_says_about_itself_is_json_with_time_level_and_message(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, {"EXTENSION_LOG_FLUSCH": 'a "quote" and ä'})
    shut_down(environment)
    for line in environment.extension_output:
        said = json.loads(line)
        assert {"time", "level", "message"} <= set(said)
        assert line.endswith("}\n")
