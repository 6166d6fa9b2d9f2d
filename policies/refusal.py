"""A configuration with a mistake is refused as the engine hands it over, once and before anything is judged. Only here
are the names of all policies seen: the SDK passes over one that it does not know.
"""

from typing import Any

import grpc
from google.protobuf import json_format
from pulumi_policy.policy import _PolicyAnalyzerServicer

from policies.configuration import BadConfiguration, of_file
from policies.session import Session


def refuse_mistakes(session: Session) -> None:
    """Has the pack's server refuse them, and tell `session` the rest; it has no other way to be told."""
    configure: Any = _PolicyAnalyzerServicer.Configure

    def checked(servicer: Any, request: Any, context: Any) -> Any:
        given = {name: json_format.MessageToDict(one.properties) for name, one in request.policyConfig.items()}
        try:
            session.foresee(of_file(given))
        except BadConfiguration as bad:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"it can't be used: {bad}")
        return configure(servicer, request, context)

    _PolicyAnalyzerServicer.Configure = checked  # type: ignore[method-assign]
