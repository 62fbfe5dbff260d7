# SPDX-License-Identifier: MIT
"""The APIs of the local Lambda environment answer as the platform documents it."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from lambda_environment.awake_clock import AwakeClock
from lambda_environment.extension import Extension
from lambda_environment.extensions_api import ExtensionsApi
from lambda_environment.logs_api import LogsApi
from lambda_environment.runtime_api import Request, RuntimeApi
from lambda_environment.settings import MANAGED_INSTANCES, Settings
from lambda_environment.subscription import address_of

EXTENSION = "/2020-01-01/extension"
RUNTIME = "/2018-06-01/runtime"
LOGS = "/2020-08-15/logs"
TELEMETRY = "/2022-07-01/telemetry"
NAME = "log-shipper"
BOTH = {"events": ["INVOKE", "SHUTDOWN"]}
DESTINATION = {"protocol": "HTTP", "URI": "http://sandbox.localdomain:4243"}


class Platform:
    """The APIs of an environment in which only the test itself calls."""

    def __init__(self, settings: Settings) -> None:
        self.errors: list[Extension] = []
        self.extensions = ExtensionsApi(settings, self.errors.append)
        self.extensions.begin([NAME])
        self.logs = LogsApi(settings, AwakeClock(), self.extensions)
        self.runtime = RuntimeApi(lambda error_type: None)
        application = web.Application(client_max_size=8 * 1024 * 1024)
        for api in (self.extensions, self.logs, self.runtime):
            application.add_routes(api.routes())
        self.client = TestClient(TestServer(application))

    async def call(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes) else json.dumps(body)
        async with self.client.request(method, path, data=data, headers=names) as answer:
            self.headers = answer.headers
            return answer.status, await answer.json()

    async def register(self, name: str = NAME, body: Any = BOTH) -> tuple[int, Any]:
        path = f"{EXTENSION}/register"
        answer = await self.call("POST", path, body, Lambda_Extension_Name=name)
        self.identifier = self.headers.get("Lambda-Extension-Identifier", "")
        return answer

    async def subscribe(self, path: str = LOGS, **changes: Any) -> tuple[int, Any]:
        body = {"types": ["platform", "function"], "destination": DESTINATION, **changes}
        return await self.call("PUT", path, body, Lambda_Extension_Identifier=self.identifier)


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    async for platform in serve(Settings()):
        yield platform


async def serve(settings: Settings) -> AsyncIterator[Platform]:
    platform = Platform(settings)
    async with platform.client:
        yield platform
        await platform.logs.end()


def refused(answer: tuple[int, Any], status: int, error_type: str, message: str) -> None:
    assert answer == (status, {"errorType": error_type, "errorMessage": message})


# Extensions API: register


async def test_registration_answers_with_an_identifier_and_the_function(platform: Platform) -> None:
    status, body = await platform.register()
    assert status == 200
    assert uuid.UUID(platform.identifier)
    assert body == {
        "functionName": "hello-world",
        "functionVersion": "$LATEST",
        "handler": "app.handler",
    }


async def test_registration_tells_the_account_when_asked_to(platform: Platform) -> None:
    headers = {"Lambda_Extension_Name": NAME, "Lambda_Extension_Accept_Feature": "x, accountId"}
    _, body = await platform.call("POST", f"{EXTENSION}/register", BOTH, **headers)
    assert body["accountId"] == "123456789012"


async def test_an_unknown_name_is_an_internal_extension_and_gets_no_shutdown(
    platform: Platform,
) -> None:
    refused(
        await platform.register("log-shiper"),
        403,
        "Extension.InvalidEventType",
        "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension",
    )
    status, _ = await platform.register("log-shiper", {"events": ["INVOKE"]})
    assert status == 200


async def test_an_unknown_event_is_refused(platform: Platform) -> None:
    refused(
        await platform.register(body={"events": ["INVOKE", "RESTORE"]}),
        403,
        "Extension.InvalidEventType",
        "RESTORE: ErrorInvalidEventType",
    )


async def test_a_registration_without_a_name_is_refused(platform: Platform) -> None:
    answer = await platform.register("")
    refused(answer, 403, "Extension.InvalidExtensionName", "Empty extension name")


async def test_a_registration_that_is_not_json_is_refused(platform: Platform) -> None:
    status, body = await platform.register(body=b"{")
    assert (status, body["errorType"]) == (403, "InvalidRequestFormat")


async def test_a_second_registration_is_refused(platform: Platform) -> None:
    await platform.register()
    refused(
        await platform.register(),
        403,
        "Extension.InvalidExtensionState",
        "State transition from Registered to Registered failed for extension log-shipper."
        " Error: State transition is not allowed",
    )


async def test_a_registration_after_init_is_refused(platform: Platform) -> None:
    platform.extensions.registration_open = False
    refused(
        await platform.register(),
        403,
        "Extension.RegistrationClosed",
        "Extension registration closed already",
    )


async def test_the_eleventh_extension_is_refused(platform: Platform) -> None:
    for number in range(9):
        await platform.register(f"internal-{number}", {"events": []})
    answer = await platform.register("internal-9", {"events": []})
    refused(answer, 403, "Extension.TooManyExtensions", "Extension limit (10) reached")


# Extensions API: next and errors


@pytest.mark.parametrize(
    ("identifier", "error_type", "message"),
    [
        (None, "MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header"),
        ("log-shipper", "InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier"),
        (
            "00000000-0000-0000-0000-000000000000",
            "UnknownExtensionIdentifier",
            "Unknown extension 00000000-0000-0000-0000-000000000000",
        ),
    ],
)
async def test_a_caller_that_is_not_known_is_refused(
    platform: Platform, identifier: str | None, error_type: str, message: str
) -> None:
    headers = {"Lambda_Extension_Identifier": identifier} if identifier else {}
    for method, path in [
        ("GET", f"{EXTENSION}/event/next"),
        ("POST", f"{EXTENSION}/init/error"),
        ("POST", f"{EXTENSION}/exit/error"),
        ("PUT", LOGS),
        ("PUT", TELEMETRY),
    ]:
        answer = await platform.call(method, path, **headers)
        refused(answer, 403, f"Extension.{error_type}", message)


async def test_next_waits_for_the_event_and_names_it(platform: Platform) -> None:
    await platform.register()
    headers = {"Lambda_Extension_Identifier": platform.identifier}
    waiting = asyncio.create_task(platform.call("GET", f"{EXTENSION}/event/next", **headers))
    extension = platform.extensions.extensions[0]
    await extension.ready.wait()
    assert not waiting.done()
    extension.send({"eventType": "INVOKE"})
    assert await waiting == (200, {"eventType": "INVOKE"})
    assert uuid.UUID(platform.headers["Lambda-Extension-Event-Identifier"])


@pytest.mark.parametrize("route", ["init/error", "exit/error"])
async def test_an_error_report_needs_a_type_and_ends_the_conversation(
    platform: Platform, route: str
) -> None:
    await platform.register()
    headers = {"Lambda_Extension_Identifier": platform.identifier}
    refused(
        await platform.call("POST", f"{EXTENSION}/{route}", **headers),
        403,
        "Extension.MissingHeader",
        "Lambda-Extension-Function-Error-Type not found",
    )
    typed = {**headers, "Lambda_Extension_Function_Error_Type": "Extension.ConfigInvalid"}
    answer = await platform.call("POST", f"{EXTENSION}/{route}", **typed)
    assert answer == (202, {"status": "OK"})
    assert [extension.error_type for extension in platform.errors] == ["Extension.ConfigInvalid"]
    status, body = await platform.call("GET", f"{EXTENSION}/event/next", **headers)
    assert (status, body["errorType"]) == (403, "Extension.InvalidExtensionState")


# Logs API


async def test_a_subscription_is_accepted_as_often_as_it_is_made(platform: Platform) -> None:
    await platform.register()
    assert await platform.subscribe() == (200, "OK")
    assert await platform.subscribe(schemaVersion="2021-03-18") == (200, "OK")
    assert len(platform.logs.deliveries) == 1


async def test_a_subscription_has_the_documented_defaults(platform: Platform) -> None:
    await platform.register()
    await platform.subscribe()
    subscription = platform.logs.deliveries[0].subscription
    assert subscription.schema_version == "2020-08-15"
    assert (subscription.max_items, subscription.max_bytes) == (10000, 262144)
    assert subscription.timeout_ms == 1000


async def test_all_mistakes_of_a_subscription_are_told_together(platform: Platform) -> None:
    await platform.register()
    destination = {"protocol": "HTTP", "URI": "http://sandbox.localdomain"}
    refused(
        await platform.subscribe(types=[], destination=destination),
        400,
        "Logs.ValidationError",
        "URI port is not provided; types should not be empty",
    )


@pytest.mark.parametrize(
    "change",
    [
        {"buffering": {"maxItems": 999}},
        {"buffering": {"maxItems": 10001}},
        {"buffering": {"maxBytes": 262143}},
        {"buffering": {"maxBytes": 1048577}},
        {"buffering": {"timeoutMs": 24}},
        {"buffering": {"timeoutMs": 30001}},
        {"buffering": {"timeoutMs": "25"}},
        {"schemaVersion": "2022-12-13"},
        {"types": ["platform", "kernel"]},
        {"destination": {**DESTINATION, "URI": "http://127.0.0.1:4243"}},
        {"destination": {**DESTINATION, "URI": "https://sandbox.localdomain:4243"}},
        {"destination": {**DESTINATION, "URI": "http://sandbox:9001"}},
        {"destination": {**DESTINATION, "URI": "http://sandbox:port"}},
        {"destination": {**DESTINATION, "method": "PATCH"}},
        {"destination": {"protocol": "TCP", "port": 4243}},
        {"destination": None},
    ],
    ids=str,
)
async def test_a_subscription_outside_of_the_rules_is_refused(
    platform: Platform, change: dict[str, Any]
) -> None:
    await platform.register()
    status, body = await platform.subscribe(**change)
    assert (status, body["errorType"]) == (400, "Logs.ValidationError")
    assert platform.logs.deliveries == []


async def test_a_subscription_after_init_is_refused(platform: Platform) -> None:
    await platform.register()
    platform.logs.open = False
    refused(
        await platform.subscribe(),
        403,
        "Logs.SubscriptionClosed",
        "Logs API subscription is closed",
    )


async def test_a_local_emulator_takes_the_subscription_and_has_no_logs() -> None:
    async for platform in serve(Settings(local_emulator=True)):
        await platform.register()
        refused(await platform.subscribe(), 202, "Logs.NotSupported", "Logs API is not supported")
        assert platform.logs.deliveries == []
        refused(
            await platform.subscribe(TELEMETRY),
            202,
            "Telemetry.NotSupported",
            "Telemetry API is not supported",
        )


# Telemetry API


@pytest.mark.parametrize("schema", ["2022-07-01", "2022-12-13", "2025-01-29"])
async def test_telemetry_is_subscribed_to_with_any_of_its_schemas(
    platform: Platform, schema: str
) -> None:
    await platform.register()
    assert await platform.subscribe(TELEMETRY, schemaVersion=schema) == (200, "OK")
    assert platform.logs.deliveries[0].subscription.schema_version == schema
    types = [event.type for event in platform.logs.emitted]
    assert types == ["platform.telemetrySubscription"]


@pytest.mark.parametrize(
    "change", [{}, {"schemaVersion": "2021-03-18"}, {"schemaVersion": "2025-01-30"}], ids=str
)
async def test_telemetry_needs_one_of_its_schemas(
    platform: Platform, change: dict[str, Any]
) -> None:
    await platform.register()
    refused(
        await platform.subscribe(TELEMETRY, **change),
        400,
        "ValidationError",
        "schemaVersion is not one of 2022-07-01, 2022-12-13, 2025-01-29",
    )


async def test_who_has_subscribed_to_one_api_may_not_subscribe_to_the_other(
    platform: Platform,
) -> None:
    await platform.register()
    await platform.subscribe()
    status, _ = await platform.subscribe(TELEMETRY, schemaVersion="2025-01-29")
    assert status == 400
    assert len(platform.logs.deliveries) == 1


async def test_telemetry_after_init_is_refused(platform: Platform) -> None:
    await platform.register()
    platform.logs.open = False
    refused(
        await platform.subscribe(TELEMETRY, schemaVersion="2025-01-29"),
        403,
        "Telemetry.SubscriptionClosed",
        "Telemetry API subscription is closed",
    )


def test_logs_go_to_the_loopback_unless_the_hosts_file_knows_the_name(tmp_path: Any) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost # sandbox.localdomain\n")
    assert address_of("sandbox.localdomain", hosts) == "127.0.0.1"
    hosts.write_text("127.0.0.1 localhost\n169.254.100.6 sandbox sandbox.localdomain\n")
    assert address_of("sandbox.localdomain", hosts) == "169.254.100.6"


# Runtime API


async def test_an_invocation_is_given_out_with_its_headers_and_answered_once(
    platform: Platform,
) -> None:
    request = Request(b'{"a":1}', 1234, "arn:aws:lambda:x", "Root=1")
    running = asyncio.create_task(platform.runtime.run(request))
    assert await platform.call("GET", f"{RUNTIME}/invocation/next") == (200, {"a": 1})
    assert platform.headers["Lambda-Runtime-Aws-Request-Id"] == request.id
    assert platform.headers["Lambda-Runtime-Deadline-Ms"] == "1234"
    path = f"{RUNTIME}/invocation/{request.id}/response"
    wrong = {"Lambda_Runtime_Invocation_Id": "wrong"}
    refused(
        await platform.call("POST", f"{RUNTIME}/invocation/other/response"),
        400,
        "InvalidRequestID",
        "Invalid request ID",
    )
    refused(
        await platform.call("POST", path, **wrong),
        400,
        "InvalidInvocationId",
        "Invalid invocation ID",
    )
    assert await platform.call("POST", path, "done") == (202, {"status": "OK"})
    assert not running.done()
    running_next = asyncio.create_task(platform.call("GET", f"{RUNTIME}/invocation/next"))
    assert (await running).payload == b'"done"'
    running_next.cancel()


async def test_a_response_that_is_too_large_is_refused(platform: Platform) -> None:
    request = Request(b"{}", 1234, "arn", "Root=1")
    running = asyncio.create_task(platform.runtime.run(request))
    await platform.call("GET", f"{RUNTIME}/invocation/next")
    path = f"{RUNTIME}/invocation/{request.id}/response"
    status, body = await platform.call("POST", path, b"x" * (6 * 1024 * 1024 + 101))
    assert (status, body["errorType"]) == (413, "RequestEntityTooLarge")
    running.cancel()


# Managed Instances


@pytest.fixture
async def managed() -> AsyncIterator[Platform]:
    async for platform in serve(Settings(initialization_type=MANAGED_INSTANCES)):
        yield platform


async def test_invoke_cannot_be_registered_for_on_a_managed_instance(managed: Platform) -> None:
    refused(
        await managed.register(),
        403,
        "Extension.InvalidEventType",
        "INVOKE: ErrorInvalidEventType",
    )
    status, _ = await managed.register(body={"events": ["SHUTDOWN"]})
    assert status == 200


async def test_a_managed_instance_has_telemetry_in_its_newest_schema_and_no_logs_api(
    managed: Platform,
) -> None:
    await managed.register(body={"events": ["SHUTDOWN"]})
    status, _ = await managed.subscribe(LOGS, schemaVersion="2021-03-18")
    assert status == 400
    for schema in ("2022-07-01", "2022-12-13"):
        status, _ = await managed.subscribe(TELEMETRY, schemaVersion=schema)
        assert status == 400
    assert await managed.subscribe(TELEMETRY, schemaVersion="2025-01-29") == (200, "OK")
