# SPDX-License-Identifier: MIT
"""The Extensions API 2020-01-01."""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable

from aiohttp import web

from .events import compact_json
from .extension import Extension, StateError
from .settings import Settings

MAX_EXTENSIONS = 10
PREFIX = "/2020-01-01/extension"
EVENTS = ("INVOKE", "SHUTDOWN")

Handler = Callable[[web.Request], Awaitable[web.Response]]


def refusal(status: int, error_type: str, message: str) -> web.Response:
    return json_response(status, {"errorMessage": message, "errorType": error_type})


def json_response(
    status: int, value: object, headers: dict[str, str] | None = None
) -> web.Response:
    return web.Response(
        status=status, body=compact_json(value), content_type="application/json", headers=headers
    )


class ExtensionsApi:
    """Keeps the registrations of one life of the environment."""

    def __init__(self, settings: Settings, on_error: Callable[[Extension], None]) -> None:
        self._settings = settings
        self._on_error = on_error
        self.extensions: list[Extension] = []
        self.registration_open = True

    def begin(self, names: list[str]) -> None:
        """Starts a life: these files are in /opt/extensions, nobody has registered."""
        self.extensions = [Extension(name, external=True) for name in names]
        self.registration_open = True

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(f"{PREFIX}/register", self._register),
            web.get(f"{PREFIX}/event/next", self._next),
            web.post(f"{PREFIX}/init/error", self._init_error),
            web.post(f"{PREFIX}/exit/error", self._exit_error),
        ]

    def identify(self, request: web.Request) -> Extension | web.Response:
        """The registered extension that makes the request, or the refusal it gets."""
        identifier = request.headers.get("Lambda-Extension-Identifier")
        if identifier is None:
            return refusal(
                403,
                "Extension.MissingExtensionIdentifier",
                "Missing Lambda-Extension-Identifier header",
            )
        try:
            uuid.UUID(identifier)
        except ValueError:
            return refusal(
                403,
                "Extension.InvalidExtensionIdentifier",
                "Invalid Lambda-Extension-Identifier",
            )
        for extension in self.extensions:
            if extension.id == identifier and extension.state != "Started":
                return extension
        return refusal(
            403, "Extension.UnknownExtensionIdentifier", f"Unknown extension {identifier}"
        )

    async def _register(self, request: web.Request) -> web.Response:
        name = request.headers.get("Lambda-Extension-Name", "")
        if not name:
            return refusal(403, "Extension.InvalidExtensionName", "Empty extension name")
        try:
            events = _events_of(await request.read())
        except ValueError as error:
            return refusal(403, "InvalidRequestFormat", str(error))
        extension = self._external(name)
        if extension is None:
            return self._register_internal(request, name, events)
        return self._accept(request, extension, events)

    def _external(self, name: str) -> Extension | None:
        return next((e for e in self.extensions if e.external and e.name == name), None)

    def _register_internal(
        self, request: web.Request, name: str, events: list[str]
    ) -> web.Response:
        """A name that is no file in /opt/extensions is taken for a thread of the runtime."""
        if "SHUTDOWN" in events:
            message = "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension"
            return refusal(403, "Extension.InvalidEventType", message)
        if not self.registration_open:
            message = "Extension registration closed already"
            return refusal(403, "Extension.RegistrationClosed", message)
        if any(extension.name == name for extension in self.extensions):
            message = "Extension with this name already registered"
            return refusal(403, "Extension.InvalidExtensionState", message)
        if len(self.extensions) >= MAX_EXTENSIONS:
            message = f"Extension limit ({MAX_EXTENSIONS}) reached"
            return refusal(403, "Extension.TooManyExtensions", message)
        extension = Extension(name, external=False)
        answer = self._accept(request, extension, events)
        if answer.status == 200:
            self.extensions.append(extension)
        return answer

    def _accept(
        self, request: web.Request, extension: Extension, events: list[str]
    ) -> web.Response:
        allowed = ("SHUTDOWN",) if self._settings.managed else EVENTS
        for event in events:
            if event not in allowed:
                message = f"{event}: ErrorInvalidEventType"
                return refusal(403, "Extension.InvalidEventType", message)
        if not self.registration_open:
            message = "Extension registration closed already"
            return refusal(403, "Extension.RegistrationClosed", message)
        try:
            extension.register(events)
        except StateError as error:
            return refusal(403, "Extension.InvalidExtensionState", str(error))
        headers = {"Lambda-Extension-Identifier": extension.id}
        return json_response(200, self._function(request), headers)

    def _function(self, request: web.Request) -> dict[str, str]:
        settings = self._settings
        function = {
            "functionName": settings.function_name,
            "functionVersion": settings.function_version,
            "handler": settings.handler,
        }
        features = request.headers.get("Lambda-Extension-Accept-Feature", "")
        if "accountId" in [feature.strip() for feature in features.split(",")]:
            function["accountId"] = settings.account_id
        return function

    async def _next(self, request: web.Request) -> web.Response:
        extension = self.identify(request)
        if isinstance(extension, web.Response):
            return extension
        try:
            event = await extension.next_event()
        except StateError as error:
            return refusal(403, "Extension.InvalidExtensionState", str(error))
        headers = {"Lambda-Extension-Event-Identifier": str(uuid.uuid4())}
        return json_response(200, event, headers)

    async def _init_error(self, request: web.Request) -> web.Response:
        return self._error(request, "InitError")

    async def _exit_error(self, request: web.Request) -> web.Response:
        return self._error(request, "ExitError")

    def _error(self, request: web.Request, state: str) -> web.Response:
        extension = self.identify(request)
        if isinstance(extension, web.Response):
            return extension
        error_type = request.headers.get("Lambda-Extension-Function-Error-Type")
        if not error_type:
            message = "Lambda-Extension-Function-Error-Type not found"
            return refusal(403, "Extension.MissingHeader", message)
        if extension.state != state:
            try:
                extension.fail(state, error_type)
            except StateError as error:
                return refusal(403, "Extension.InvalidExtensionState", str(error))
            self._on_error(extension)
        return json_response(202, {"status": "OK"})


def _events_of(body: bytes) -> list[str]:
    request = json.loads(body)
    if not isinstance(request, dict):
        raise ValueError("the request is not a JSON object")
    if request.get("configurationKeys"):
        message = "configurationKeys are deprecated; use environment variables instead"
        raise ValueError(message)
    events = request.get("events") or []
    if not isinstance(events, list):
        raise ValueError("events is not a list")
    return events
