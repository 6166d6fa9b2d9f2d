"""What `pulumi destroy` leaves."""

import os

from tests.live.process import run
from tests.live.stack import CLUSTER, containers
from tests.stack import Stack


def test_destroy_leaves_nothing(stack: Stack) -> None:
    assert containers()
    stack.destroy()
    assert containers() == []
    assert not stack.exists
    assert f"k3d-{CLUSTER}" not in run("docker", "volume", "ls", "--format", "{{.Name}}")
    networks = run("docker", "network", "ls", "--format", "{{.Name}}").split()
    assert f"k3d-{CLUSTER}" not in networks
    given = os.environ.get("LIVE_NETWORK")
    assert given is None or given in networks, "a network that was there before stays"
