#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An extension that does what SCRIPT says, to test the environment itself.

SCRIPT is a JSON object; every member may be left out:
  name          registers under this name instead of the file's
  events        what to register for
  telemetry     subscribes to the Telemetry API instead of the Logs API
  subscription  members to change in the subscription; null for no subscription
  before_next   [seconds] to wait before the first `next`
  hold          how long to stay busy: seconds, or "runtimeDone"
  answers       statuses for the first deliveries (200 afterwards)
  answer_after  seconds to think before answering a delivery
  exit_on       "register", "INVOKE" or "SHUTDOWN": crash there with exit code 7
  ignore_shutdown  never ends by itself
  error         [route, type]: call init/error or exit/error, then exit with 1
  listen_after  seconds between the subscription and the listener
Everything that is delivered is written to the file DELIVERIES, if given: one JSON line a request.
It has no PATH and so runs on the system's Python, without the tests' packages: hence http.server.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SCRIPT = json.loads(os.environ.get("SCRIPT", "{}"))
runtime_done = threading.Semaphore(0)
answers = iter(SCRIPT.get("answers", []))


class Listener(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self._body()
        time.sleep(SCRIPT.get("answer_after", 0))
        status = next(answers, 200)
        self._write_down(body, status)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
        if b'"platform.runtimeDone"' in body and status == 200:
            runtime_done.release()

    do_PUT = do_POST

    def log_message(self, *ignored: object) -> None:
        """Not to stderr: that would be an extension record each."""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"]))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _write_down(self, body: bytes, status: int) -> None:
        request = {
            "at": time.monotonic(),
            "method": self.command,
            "path": self.path,
            "status": status,
            "headers": dict(self.headers),
            "body": base64.b64encode(body).decode(),
        }
        with open(os.environ.get("DELIVERIES", os.devnull), "a", encoding="ascii") as file:
            file.write(json.dumps(request) + "\n")


class Platform:
    def __init__(self) -> None:
        self.connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
        self.identity: dict[str, str] = {}

    def call(self, method: str, path: str, body: object = None, **headers: str) -> dict:
        data = None if body is None else json.dumps(body)
        self.connection.request(method, path, data, {**self.identity, **headers})
        answer = self.connection.getresponse()
        text = answer.read()
        print(f"{method} {path} {answer.status} {text.decode()}", flush=True)
        if answer.status >= 300:
            sys.exit(f"refused: {text.decode()}")
        identifier = answer.getheader("Lambda-Extension-Identifier")
        if identifier:
            self.identity = {"Lambda-Extension-Identifier": identifier}
        return json.loads(text)

    def register(self) -> None:
        name = SCRIPT.get("name", os.path.basename(sys.argv[0]))
        events = SCRIPT.get("events", ["INVOKE", "SHUTDOWN"])
        headers = {"Lambda-Extension-Name": name}
        self.call("POST", "/2020-01-01/extension/register", {"events": events}, **headers)

    def subscribe(self, port: int) -> None:
        telemetry = SCRIPT.get("telemetry")
        wanted = {
            "schemaVersion": "2025-01-29" if telemetry else "2021-03-18",
            "types": ["platform", "function"],
            "buffering": {"maxItems": 1000, "maxBytes": 262144, "timeoutMs": 25},
            "destination": {"protocol": "HTTP", "URI": f"http://sandbox.localdomain:{port}/path"},
        }
        wanted.update(SCRIPT.get("subscription", {}))
        path = "/2022-07-01/telemetry" if telemetry else "/2020-08-15/logs"
        self.call("PUT", path, wanted)

    def next(self) -> dict:
        return self.call("GET", "/2020-01-01/extension/event/next")

    def report_error(self, route: str, error_type: str) -> None:
        headers = {"Lambda-Extension-Function-Error-Type": error_type}
        self.call("POST", f"/2020-01-01/extension/{route}", **headers)


def hold() -> None:
    if SCRIPT.get("hold") == "runtimeDone":
        runtime_done.acquire()
    else:
        time.sleep(SCRIPT.get("hold", 0))


def crash_if(moment: str) -> None:
    if SCRIPT.get("exit_on") == moment:
        os._exit(7)


def report_error_if(platform: Platform, route: str) -> None:
    wanted, error_type = SCRIPT.get("error", [None, ""])
    if wanted == route:
        platform.report_error(route, error_type)
        sys.exit(1)


def listen() -> int:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener, bind_and_activate=False)
    server.server_bind()
    threading.Thread(target=serve, args=[server], daemon=True).start()
    return server.server_address[1]


def serve(server: ThreadingHTTPServer) -> None:
    time.sleep(SCRIPT.get("listen_after", 0))
    server.server_activate()
    server.serve_forever()


def main() -> None:
    platform = Platform()
    port = listen()
    platform.register()
    crash_if("register")
    report_error_if(platform, "init/error")
    if SCRIPT.get("subscription", {}) is not None:
        platform.subscribe(port)
    time.sleep(SCRIPT.get("before_next", 0))
    while (event := platform.next())["eventType"] != "SHUTDOWN":
        crash_if("INVOKE")
        report_error_if(platform, "exit/error")
        hold()
    crash_if("SHUTDOWN")
    while SCRIPT.get("ignore_shutdown"):
        time.sleep(60)
    print(f"shut down: {event}", flush=True)


main()
