"""What k3d and kwok share: a cluster on this machine, made and deleted by a command."""

import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any

import pulumi
from pulumi import Output, Resource, ResourceOptions
from pulumi_command import local
from pydantic import Field

from components import commands
from components.kinds.kind import ClusterSettings, Connection
from components.scripts.lifecycle import SPEC_VARIABLE, Found, Spec, Tool
from components.scripts.process import Refused
from components.settings_model import DnsLabel


class LocalSettings(ClusterSettings):
    """A cluster on this machine."""

    name: DnsLabel
    """Name of the cluster."""
    nodes_per_zone: Annotated[int, Field(ge=1, le=50)] = 1
    """Nodes in each zone."""


def connect_local(
    name: str,
    settings: LocalSettings,
    parent: Resource,
    tool: Callable[[Spec], Tool],
    options: dict[str, Any],
    *,
    simulated: bool = False,
    pods_know_their_zone: bool = False,
) -> Connection:
    """The cluster as a command. Whatever changes in its settings makes another cluster, in place of the old one."""
    spec = Spec(
        name=settings.name,
        owner=".".join((pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack())),
        fingerprint=_fingerprint([settings.as_inputs(), options]),
        zones=settings.zones,
        nodes_per_zone=settings.nodes_per_zone,
        options=options,
    )
    found = _find(tool(spec))
    adopted = found is not None and found.owner != spec.owner
    if found and not adopted and found.fingerprint != spec.fingerprint:
        # In words what the engine's plan shows as a replaced command.
        pulumi.log.warn(
            f"kafka-ha:cluster has changed (zones now: {', '.join(settings.zones)}): the {settings.kind} cluster "
            f"{settings.name} is replaced, and all that is on it with it, Kafka's records included."
        )
    program = f"{settings.kind}_cluster"
    command = local.Command(
        f"{name}-{settings.kind}",
        create=commands.script(program, "create"),
        delete=commands.script(program, "delete"),
        environment={SPEC_VARIABLE: spec.to_json(), **commands.found()},
        triggers=[spec.fingerprint],
        logging=local.Logging.STDERR,  # standard output is the kubeconfig
        opts=ResourceOptions(
            parent=parent,
            delete_before_replace=True,  # names and ports can't be shared by two clusters
            additional_secret_outputs=["stdout"],
            custom_timeouts=pulumi.CustomTimeouts(create="20m", delete="5m"),
        ),
    )
    return Connection(
        kubeconfig=Output.secret(command.stdout),
        # The same for the cluster's successor: replace_with replaces what is on it, while the old one still answers.
        identifier=f"{settings.kind}-{settings.name}",
        lifetime=None if adopted else command,
        local=True,
        simulated=simulated,
        pods_know_their_zone=pods_know_their_zone and not adopted,
    )


def _fingerprint(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:12]


def _find(tool: Tool) -> Found | None:
    """The cluster as it is now; None where it can't be asked, which the command itself will tell."""
    try:
        return tool.find()
    except Refused:
        return None
