# SPDX-License-Identifier: MIT
"""Shows a function's logs on their way to Kinesis, on this machine alone.

Starts a Kinesis server (moto, with IAM enforced) and a local Lambda environment, invokes
hello-world three times with a freeze after each, shuts down, reads the stream back with boto3 and
prints what arrived. Exits with 1 when an event is missing. EXTENSION_BINARY names another build;
API=telemetry takes the Telemetry API instead of the Logs API, and KIND=managed-instances a Managed
Instance, which is never frozen and runs the three invocations at once.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests"))

from demo.report import Figures, print_events, print_figures  # noqa: E402
from kinesis import MotoServer, MotoStream, compare, events_in, payload_units  # noqa: E402
from lambda_environment import Invocation, LambdaEnvironment, Settings, Shutdown  # noqa: E402
from lambda_environment.settings import MANAGED_INSTANCES  # noqa: E402

BINARY = REPOSITORY / "build/extensions/kinesis-stream-logs-extension"
STREAM = "lambda-logs-direct-kinesis-no-cloudwatch"
NAMES = ("Ada", "Grace", "Edsger")
APIS = ("logs", "telemetry")
KINDS = {"on-demand": "on-demand", "managed-instances": MANAGED_INSTANCES}
FREEZE_S = 0.5
START = time.monotonic()


class DemoFailed(Exception):
    """The message says what to do."""


def progress(text: str) -> None:
    print(f"{time.monotonic() - START:6.2f} s  {text}", flush=True)


def extension_binary() -> Path:
    binary = Path(os.environ.get("EXTENSION_BINARY", BINARY)).resolve()
    if not os.access(binary, os.X_OK):
        raise DemoFailed(f"{binary} is not there or not executable; run make first")
    return binary


def chosen(name: str, choices: tuple[str, ...]) -> str:
    """The value of an environment variable; the first choice when it is not set."""
    value = os.environ.get(name) or choices[0]
    if value not in choices:
        raise DemoFailed(f"{name}={value}; it is {' or '.join(choices)}")
    return value


def run(stream: MotoStream, binary: Path) -> Figures:
    settings = Settings(
        extensions=(binary,),
        task_root=REPOSITORY / "hello-world",
        credentials=stream.credentials,
        variables={**stream.variables, "EXTENSION_LOG_API": chosen("API", APIS)},
        initialization_type=KINDS[chosen("KIND", tuple(KINDS))],
    )
    with LambdaEnvironment(settings) as environment:
        try:
            init_ms = initialise(environment, binary.name)
            invocations = invoke_all(environment)
            ended = shut_down(environment, binary.name)
        finally:
            progress("the extension said:")
            sys.stdout.writelines(f"          {line}" for line in environment.extension_output)
        return collect(stream, environment, init_ms, invocations, ended)


def initialise(environment: LambdaEnvironment, name: str) -> float:
    init = environment.start()
    if not init.succeeded:
        raise DemoFailed(f"the init phase failed: {init.error_type} {init.message}")
    progress(f"init: {name} was ready after {init.extension_ms[name]:.1f} ms")
    return init.extension_ms[name]


def invoke_all(environment: LambdaEnvironment) -> list[Invocation]:
    if not environment.settings.managed:
        return [invoke(environment, name) for name in NAMES]
    invocations = environment.invoke_together([{"name": name} for name in NAMES])
    for invocation in invocations:
        require_success(invocation)
        progress(f"hello-world took {invocation.duration_ms:.1f} ms")
    return invocations


def require_success(invocation: Invocation) -> None:
    if invocation.status != "success":
        raise DemoFailed(f"hello-world failed: {invocation.error_type} {invocation.message}")


def invoke(environment: LambdaEnvironment, name: str) -> Invocation:
    invocation = environment.invoke({"name": name})
    require_success(invocation)
    progress(
        f"hello-world took {invocation.duration_ms:.1f} ms, the extension kept it awake for"
        f" {invocation.kept_awake_ms:.1f} ms more; frozen"
    )
    time.sleep(FREEZE_S)
    return invocation


def shut_down(environment: LambdaEnvironment, name: str) -> Shutdown:
    ended = environment.shutdown()[name]
    progress(f"shutdown: {ended.state} after {ended.duration_ms:.0f} ms, code {ended.exit_code}")
    if ended.state != "Exited":
        raise DemoFailed("the extension did not end as it should")
    return ended


def collect(
    stream: MotoStream,
    environment: LambdaEnvironment,
    init_ms: float,
    invocations: list[Invocation],
    ended: Shutdown,
) -> Figures:
    records = stream.records()
    events = events_in(records)
    emitted = environment.emitted
    progress(f"read {len(records)} records back from the stream {stream.name}")
    print_events(events)
    return Figures(
        init_ms=init_ms,
        kept_awake_ms=[invocation.kept_awake_ms for invocation in invocations],
        emitted=len(emitted),
        comparison=compare(emitted, events),
        records=len(records),
        calls=stream.calls(),
        payload_units=payload_units(records),
        peak_memory_kb=ended.peak_memory_kb,
    )


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        binary = extension_binary()
        progress("starting Kinesis (moto) and the Lambda environment")
        with MotoServer() as kinesis:
            progress(f"Kinesis answers at {kinesis.endpoint}, IAM enforced")
            figures = run(kinesis.create_stream(STREAM), binary)
    except DemoFailed as failure:
        print(f"The demo failed: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; everything it started is stopped.", file=sys.stderr)
        return 130
    print_figures(figures)
    return 1 if figures.comparison.missing else 0


if __name__ == "__main__":
    sys.exit(main())
