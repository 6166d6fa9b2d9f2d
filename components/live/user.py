"""A user: let in with a password of its own, and given its rights; drift of both is found.

The password is made here, at random, and is a secret of the stack's state; it reaches Kafka by the standard input of a
command. What a password was changed to by hand nobody can read.
"""

import json
import secrets
from typing import Any

import pulumi
from pulumi import Output, ResourceOptions
from pulumi.dynamic import CreateResult, ReadResult, UpdateResult

from components.live.kafka import LiveKafka, forget
from components.live.provider import Inputs, LiveProvider, kafka_of, simulated
from components.own_resource import OwnResource
from components.scripts.process import Refused

_COMMAND = ("python3", "-m", "checker.users")
_BYTES = 32  # of a password, before it is written in letters


class UserProvider(LiveProvider):
    """Beside its fields it has the output `password`."""

    fields = ("rights", "passwordVersion")
    identity = ("cluster", "name")

    def find(self, kafka: LiveKafka, props: Inputs) -> dict[str, Any] | None:
        """Its rights; None where it can't log in."""
        found = kafka.users.get(props["name"])
        return {"rights": found["rights"]} if found and found["logsIn"] else None

    def apply(self, kafka: LiveKafka, news: Inputs) -> None:
        """Makes its rights what is asked for, and its password where one is given."""
        _make(kafka, {"user": news["name"], "rights": news["rights"], "password": news.get("password")})

    def create(self, props: dict[str, Any]) -> CreateResult:
        """With a new password, also where there is a user of that name."""
        return super().create({**props, "password": secrets.token_urlsafe(_BYTES)})

    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """With a new password where another version is asked for."""
        if self._changed(("passwordVersion",), olds, news):
            return super().update(id_, olds, {**news, "password": secrets.token_urlsafe(_BYTES)})
        outs = super().update(id_, olds, news).outs or {}
        return UpdateResult({**outs, "password": olds["password"]})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """The password is no input."""
        found = super().read(id_, props)
        inputs = {name: value for name, value in (found.inputs or {}).items() if name != "password"}
        return ReadResult(found.id, found.outs, inputs)

    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Its password and all its rights."""
        if not simulated(props):
            _make(kafka_of(props), {"user": props["name"]})


def _make(kafka: LiveKafka, asked: dict[str, Any]) -> None:
    try:
        kafka.change("checker", *_COMMAND, stdin=json.dumps(asked))
    except Refused as error:
        raise Refused(f"kafka-ha:users[{asked['user']}]: {error}") from error
    forget()


class UserResource(OwnResource, name="User", provider=UserProvider):
    """A user, and nothing around it; the component is KafkaUser."""

    password: Output[str]

    def __init__(self, name: str, props: pulumi.Inputs, opts: ResourceOptions | None = None) -> None:
        secret = ResourceOptions(additional_secret_outputs=["password"])
        super().__init__(name, {**props, "password": None}, ResourceOptions.merge(opts, secret))
