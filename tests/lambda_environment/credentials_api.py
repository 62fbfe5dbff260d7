# SPDX-License-Identifier: MIT
"""The endpoint that gives the role's credentials where the variables do not, as under SnapStart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aiohttp import web

from .extensions_api import json_response, refusal
from .settings import CREDENTIALS_PATH, Credentials, Settings


class CredentialsApi:
    """Gives what it was told to, with an Expiration; a wrong token gets 404, as on the platform."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.credentials = settings.credentials
        self.lifetime_s = settings.credentials_lifetime_s
        self.status = 200
        self.given: list[str] = []
        """The ids of the keys that were given, call by call."""

    def routes(self) -> list[web.RouteDef]:
        return [web.get(CREDENTIALS_PATH, self._give)]

    def set(self, credentials: Credentials | None, lifetime_s: float, status: int) -> None:
        self.credentials, self.lifetime_s, self.status = credentials, lifetime_s, status

    async def _give(self, http: web.Request) -> web.Response:
        if http.headers.get("Authorization") != self._settings.credentials_token:
            return refusal(404, "InvalidToken", "Wrong or no token")
        if self.status != 200 or self.credentials is None:
            return refusal(self.status, "InternalServerError", "made by a test")
        self.given.append(self.credentials.access_key_id)
        expires = datetime.now(UTC) + timedelta(seconds=self.lifetime_s)
        return json_response(200, _answer(self.credentials, expires))


def _answer(credentials: Credentials, expires: datetime) -> dict[str, str | None]:
    return {
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
        "Token": credentials.session_token,
        "Expiration": expires.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
