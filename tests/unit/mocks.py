"""An engine that only remembers, for programs and components."""

from collections.abc import Callable
from typing import Any

import pulumi
from pulumi.runtime import mocks

_OUTPUTS = {
    "command:local:Command": {"stdout": '{"name": "orders"}'},
    "pulumi-python:dynamic/kafka-ha:User": {"password": "its password"},
    "pulumi-python:dynamic/kafka-ha:Certificate": {
        name: f"its {name}" for name in ("authority", "authorityKey", "certificate", "key", "fingerprint")
    },
}


class Recorder(mocks.Mocks):
    """Answers as the engine would, and remembers what was registered."""

    def __init__(self) -> None:
        self.registered: dict[str, mocks.MockResourceArgs] = {}
        self.requests: dict[str, Any] = {}

    @classmethod
    def installed(cls) -> "Recorder":
        """A recorder that whatever is registered from now on goes to."""
        recorder = cls()
        monitor = Monitor(recorder)
        mocks.set_mocks(recorder, project="kafka-ha", stack="unit", monitor=monitor, organization="organization")
        return recorder

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        assert args.name not in self.registered
        self.registered[args.name] = args
        return f"{args.name}-id", {**args.inputs, **_OUTPUTS.get(args.typ, {})}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {}, None


class Monitor(mocks.MockMonitor):
    """Remembers the options too, which the mocks are not told."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self._requests = recorder.requests

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802, the name in Pulumi's protocol
        self._requests[request.name] = request
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]


def registered(recorder: Recorder, program: Callable[[], object]) -> dict[str, mocks.MockResourceArgs]:
    """What the program registers, by resource name."""

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def run() -> None:
        program()

    run()
    return recorder.registered
