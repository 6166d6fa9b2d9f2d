"""What k3d and kwok share: a cluster on this machine, made and deleted by a command."""

import hashlib
import json
import os
import subprocess
from typing import Annotated, Any

import pulumi
from pulumi import Output, Resource, ResourceOptions
from pulumi_command import local
from pydantic import Field

from components.kinds.kind import ClusterSettings, Connection
from components.settings_model import DnsLabel


class LocalSettings(ClusterSettings):
    """A cluster on this machine."""

    name: DnsLabel
    """Name of the cluster."""
    nodes_per_zone: Annotated[int, Field(ge=1, le=50)] = 1
    """Nodes in each zone."""


def connect_local(
    name: str, settings: LocalSettings, parent: Resource, options: dict[str, Any], *, simulated: bool = False
) -> Connection:
    """The cluster as a command. Whatever changes in its settings makes another cluster, in the place of the old one."""
    inputs = settings.as_inputs()
    fingerprint = hashlib.sha256(json.dumps([inputs, options], sort_keys=True).encode()).hexdigest()[:12]
    spec = {
        "name": settings.name,
        "owner": ".".join((pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack())),
        "fingerprint": fingerprint,
        "zones": settings.zones,
        "nodes_per_zone": settings.nodes_per_zone,
        "options": options,
    }
    environment = {"CLUSTER": json.dumps(spec)}
    script = f"python3 -m components.scripts.{settings.kind}_cluster"
    _warn_of_replacement(script, environment, settings, fingerprint)
    command = local.Command(
        f"{name}-{settings.kind}",
        create=f"{script} create",
        delete=f"{script} delete",
        environment=environment,
        triggers=[fingerprint],
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
        identifier=f"{settings.kind}-{settings.name}-{fingerprint}",
        lifetime=command,
        simulated=simulated,
    )


def _warn_of_replacement(script: str, environment: dict[str, str], settings: LocalSettings, fingerprint: str) -> None:
    """Says in words what the engine's plan shows as a replaced command."""
    try:
        result = subprocess.run(
            [*script.split(), "describe"],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return  # nothing can be said; the command itself will tell
    found = result.stdout.strip()
    if result.returncode == 0 and found not in ("", fingerprint):
        pulumi.log.warn(
            f"kafka-ha:cluster has changed (zones now: {', '.join(settings.zones)}): the {settings.kind} "
            f"cluster {settings.name} "
            "is replaced, and all that is on it with it, Kafka's records included."
        )
