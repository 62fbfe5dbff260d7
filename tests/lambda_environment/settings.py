# SPDX-License-Identifier: MIT
"""What a local Lambda environment is made of, and where it may leave the beaten track."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .events import SNAP_START, TELEMETRY_SCHEMAS

# Limits of the platform (Lambda quotas and the pages on extensions and life cycle).
FUNCTION_VARIABLES_BYTES = 4096
INIT_SECONDS = 10.0
SHUTDOWN_SECONDS = 2.0
RUNTIME_SHARE_OF_SHUTDOWN = 0.3
MANAGED_INSTANCES = "lambda-managed-instances"

# Where the role's credentials are given when they are not among the variables.
CREDENTIALS_PATH = "/2021-04-23/credentials"

# Lambda refuses a function configuration that sets one of these.
RESERVED_VARIABLES = frozenset(
    {
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_FORMAT",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_MAX_CONCURRENCY",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "_HANDLER",
    }
)


@dataclass(frozen=True)
class Credentials:
    """What the function's role is given; Lambda passes it through the environment."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Settings:
    """A function, its extensions and the deviations a test asks for."""

    extensions: tuple[Path, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    credentials: Credentials | None = None
    credentials_by_endpoint: bool = False
    """Given by an endpoint that the variables name instead of by variables, as always under
    SnapStart."""
    credentials_token: str = field(default_factory=lambda: uuid.uuid4().hex, repr=False)
    credentials_lifetime_s: float = 6 * 3600.0

    # The function. Without a task root it is synthetic: it has no process, and the caller of
    # invoke() says what it logs.
    task_root: Path | None = None
    handler: str = "app.handler"
    function_name: str = "hello-world"
    function_version: str = "$LATEST"
    account_id: str = "123456789012"
    region: str = "us-east-1"
    memory_mb: int = 128
    timeout_s: float = 3.0
    initialization_type: str = "on-demand"
    log_format: str = "Text"
    """Or JSON, as always on Managed Instances: lines that are JSON are objects where the schema of
    a subscription allows it."""
    concurrency: int = 16
    """How many invocations a Managed Instance runs at once."""
    init_limit_s: float = INIT_SECONDS
    init_output: Sequence[str] = ()
    """What a synthetic function logs while it is initialised."""
    init: Callable[[], None] = lambda: None
    """Called in a thread: a synthetic function is initialised until it returns."""

    temporary_directory: Path | None = None
    """What /tmp is to the processes inside (by TMPDIR), to be shared by environments one after
    another. None: a new and empty one, which is gone with the environment."""

    # Variants seen in the field.
    telemetry_schemas: tuple[str, ...] = TELEMETRY_SCHEMAS
    """Those that the platform knows; it refuses a subscription with any other."""
    local_emulator: bool = False
    """Answer 202 to a subscription and deliver nothing, as a local emulator does."""
    deadline_as_string: bool = False
    lower_case_reason: bool = False
    chunked_delivery: bool = False
    """Deliver logs with Transfer-Encoding: chunked instead of Content-Length."""

    # Faults.
    answers: Mapping[str, int] = field(default_factory=dict)
    """Answer a call ("register", "next", "subscribe") with 403 or 500 instead of serving it."""
    lost_events: frozenset[str] = frozenset()
    """Types of events that are emitted but never delivered, such as platform.runtimeDone."""
    delivery_backlog_bytes: int = 16 * 1024 * 1024
    """What waits for a slow listener; beyond it events are dropped (platform.logsDropped)."""
    delivery_timeout_s: float = 10.0
    """How long, awake, one delivery may go unanswered before it is sent again."""

    kill_grace_s: float = 0.0
    """How much longer than it was told a process may take to end. 0 as with Lambda; more for a
    build that is slower than what is shipped."""

    def __post_init__(self) -> None:
        reserved = sorted(RESERVED_VARIABLES & set(self.variables))
        if reserved:
            raise ValueError(f"reserved by Lambda, set it through Settings: {', '.join(reserved)}")
        size = sum(len(name) + len(value) for name, value in self.variables.items())
        if size > FUNCTION_VARIABLES_BYTES:
            raise ValueError(f"{size} bytes of variables, Lambda allows {FUNCTION_VARIABLES_BYTES}")

    @property
    def managed(self) -> bool:
        """A Managed Instance: never frozen, many invocations at once, no INVOKE, no Logs API."""
        return self.initialization_type == MANAGED_INSTANCES

    @property
    def snap_start(self) -> bool:
        return self.initialization_type == SNAP_START

    @property
    def function_arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account_id}:function:{self.function_name}"

    def extension_variables(self, runtime_api: str) -> dict[str, str]:
        """The whole environment of an extension. It gets no PATH, no LD_LIBRARY_PATH, and none of
        the variables that are the runtime's alone."""
        variables = {
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_LAMBDA_FUNCTION_NAME": self.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": self.function_version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory_mb),
            "AWS_LAMBDA_INITIALIZATION_TYPE": self.initialization_type,
            "AWS_LAMBDA_LOG_FORMAT": self.log_format,
            "AWS_LAMBDA_RUNTIME_API": runtime_api,
            "TZ": ":UTC",
        }
        return {**variables, **self._credential_variables(runtime_api), **self.variables}

    def runtime_variables(self, runtime_api: str) -> dict[str, str]:
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs24.x",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.function_name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[$LATEST]00000000000000000000000000000000",
            "LAMBDA_TASK_ROOT": str(self.task_root),
            "_HANDLER": self.handler,
            **self.extension_variables(runtime_api),
            **({"AWS_LAMBDA_MAX_CONCURRENCY": str(self.concurrency)} if self.managed else {}),
        }

    def _credential_variables(self, runtime_api: str) -> dict[str, str]:
        if self.credentials_by_endpoint or self.snap_start:
            return {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{runtime_api}{CREDENTIALS_PATH}",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": self.credentials_token,
            }
        if self.credentials is None:
            return {}
        variables = {
            "AWS_ACCESS_KEY_ID": self.credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_access_key,
        }
        if self.credentials.session_token:
            variables["AWS_SESSION_TOKEN"] = self.credentials.session_token
        return variables
