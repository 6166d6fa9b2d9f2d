"""Resources that the program brings the provider of itself."""

from typing import ClassVar

import pulumi
from pulumi import ResourceOptions
from pulumi.dynamic import Resource, ResourceProvider

PROVIDERS: dict[str, type[ResourceProvider]] = {}
"""Their providers, by the type's token."""


class OwnResource(Resource):
    """A dynamic resource in a program in Python. Other languages have no such thing: there `components.plugin` makes
    it, and serves it.
    """

    in_plugin: ClassVar[bool] = False
    _token: ClassVar[str]

    def __init_subclass__(cls, *, name: str, provider: type[ResourceProvider]) -> None:
        super().__init_subclass__(module="kafka-ha", name=name)
        cls._token = f"kafka-ha:live:{name}"
        PROVIDERS[cls._token] = provider

    def __init__(self, name: str, props: pulumi.Inputs, opts: ResourceOptions | None = None) -> None:
        if OwnResource.in_plugin:
            pulumi.CustomResource.__init__(self, self._token, name, {**props}, opts)
        else:
            super().__init__(PROVIDERS[self._token](), name, {**props}, opts)
