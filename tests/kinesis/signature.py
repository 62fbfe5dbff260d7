# SPDX-License-Identifier: MIT
"""Checks a request's SigV4 signature with botocore, apart from the extension's own code."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Keys

from lambda_environment.settings import Credentials

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<id>[^/]+)/(?P<scope>[^,]+), ?"
    r"SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
# The service accepts a request for five minutes.
ALLOWED_SKEW = timedelta(minutes=5)


class Refused(Exception):
    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


def key_id_of(headers: Mapping[str, str]) -> str:
    """Whose signature the request claims to have."""
    found = AUTHORIZATION.fullmatch(headers.get("Authorization", ""))
    return found["id"] if found else ""


def verify(
    credentials: Credentials,
    region: str,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
    service: str = "kinesis",
) -> None:
    """Raises Refused unless the request is signed as the service demands."""
    headers = {name.lower(): value for name, value in headers.items()}
    found = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if not found:
        raise Refused("IncompleteSignature", "The Authorization header is missing or malformed.")
    _check_identity(credentials, found["id"], headers)
    _check_time_and_scope(f"{region}/{service}", found["scope"], headers, now)
    signed = found["headers"].split(";")
    _check_coverage(signed, headers)
    covered = {name: headers[name] for name in signed}
    expected = _signature(credentials, region, service, covered, body)
    if not hmac.compare_digest(expected, found["signature"]):
        message = "The request signature we calculated does not match the signature you provided."
        raise Refused("InvalidSignatureException", message)


def _check_identity(credentials: Credentials, access_key_id: str, headers: dict[str, str]) -> None:
    token = headers.get("x-amz-security-token")
    if access_key_id != credentials.access_key_id or token != credentials.session_token:
        message = "The security token included in the request is invalid."
        raise Refused("UnrecognizedClientException", message)


def _check_time_and_scope(place: str, scope: str, headers: dict[str, str], now: datetime) -> None:
    stamp = headers.get("x-amz-date", "")
    try:
        signed_at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Refused("IncompleteSignature", "X-Amz-Date is missing or malformed.") from None
    if abs(now - signed_at) > ALLOWED_SKEW:
        late = f"Signature expired: {stamp} is now earlier than {now - ALLOWED_SKEW:%Y%m%dT%H%M%SZ}"
        early = f"Signature not yet current: {stamp} is still later than {now:%Y%m%dT%H%M%SZ}"
        message = late if signed_at < now else early
        raise Refused("InvalidSignatureException", message)
    if scope != f"{stamp[:8]}/{place}/aws4_request":
        message = f"Credential should be scoped to {place}, not {scope}."
        raise Refused("InvalidSignatureException", message)


def _check_coverage(signed: list[str], headers: dict[str, str]) -> None:
    """host, content-type and everything x-amz must be signed, and in order."""
    must = {name for name in headers if name in ("host", "content-type") or name[:6] == "x-amz-"}
    missing = sorted(must - set(signed))
    absent = sorted(set(signed) - set(headers))
    if missing or absent or signed != sorted(signed):
        message = f"SignedHeaders: not signed {missing}, not sent {absent}"
        raise Refused("InvalidSignatureException", message)


def _signature(
    credentials: Credentials, region: str, service: str, headers: dict[str, str], body: bytes
) -> str:
    keys = Keys(credentials.access_key_id, credentials.secret_access_key)
    signer = SigV4Auth(keys, service, region)
    url = f"http://{headers['host']}/"
    request = AWSRequest(method="POST", url=url, data=body, headers=headers)
    request.context["timestamp"] = headers["x-amz-date"]
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return signer.signature(text, request)
