# SPDX-License-Identifier: MIT
"""moto's server on an inherited socket, with a count of what is asked of it.

python -m kinesis.moto_main --fd N [--managed-policies]
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from moto.iam.access_control import AssumedRoleAccessKey
from moto.kinesis.responses import KinesisResponse
from moto.logs.responses import LogsResponse
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from .child_server import end_with_parent

COUNTS_PATH = "/counts"
POLICIES_OF_ROLE = AssumedRoleAccessKey.collect_policies


class CountingApplication:
    """Counts calls by operation and status, in front of moto; GET /counts tells."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if environ["PATH_INFO"] == COUNTS_PATH:
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(self._counts).encode()]
        operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]

        def counting(status: str, *rest: Any) -> Any:
            with self._lock:
                self._counts[f"{operation} {status.split()[0]}"] += 1
            return start_response(status, *rest)

        return self._application(environ, counting)


class KeepAliveHandler(WSGIRequestHandler):
    """Connections stay open between requests, as they do with the service."""

    protocol_version = "HTTP/1.1"


def stream_of_request(response: KinesisResponse) -> str:
    """What a policy's Resource is compared with. moto leaves that out for Kinesis (it takes `*`):
    a policy for one stream could not be told from a policy for all."""
    parameters = json.loads(response.body)
    name = parameters.get("StreamName")
    arn = f"arn:aws:kinesis:{response.region}:{response.current_account}:stream/{name}"
    return parameters.get("StreamARN") or (arn if name else "*")


def log_group_of_request(response: LogsResponse) -> str:
    """The same for CloudWatch Logs."""
    name = json.loads(response.body).get("logGroupName", "")
    return f"arn:aws:logs:{response.region}:{response.current_account}:log-group:{name}"


def policies_of_role(key: AssumedRoleAccessKey) -> list[Any]:
    """moto cannot read the policies of a role that its own CloudFormation has made."""
    return [json.dumps(item) if isinstance(item, dict) else item for item in POLICIES_OF_ROLE(key)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--managed-policies", action="store_true", help="know those of AWS")
    options = parser.parse_args()
    if options.managed_policies:
        os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    KinesisResponse._determine_resource = stream_of_request
    LogsResponse._determine_resource = log_group_of_request
    AssumedRoleAccessKey.collect_policies = policies_of_role
    application = CountingApplication(DomainDispatcherApplication(create_backend_app))
    server = make_server(
        "127.0.0.1", 0, application, threaded=True, request_handler=KeepAliveHandler, fd=options.fd
    )
    end_with_parent()
    print("ready", flush=True)
    server.serve_forever()


main()
