"""A plugin process, and one connected to a simulated cluster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kwok import ZONES, KwokCluster, node
from toolchain.standins.tests.kubernetes.driver import PluginProcess, Resource


@pytest.fixture
def plugin() -> Iterator[PluginProcess]:
    started = PluginProcess()
    yield started
    assert "Traceback" not in started.stop()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KwokCluster]:
    with KwokCluster.create(tmp_path_factory.mktemp("kwok")) as made:
        yield made


@pytest.fixture(scope="session")
def live(cluster: KwokCluster) -> Iterator[PluginProcess]:
    """A plugin connected to a cluster with a node in each of three zones."""
    started = PluginProcess()
    started.configure(kubeconfig=cluster.kubeconfig)
    for zone in ZONES:
        Resource(started, "kubernetes:core/v1:Node", f"node-{zone}").create(node(f"node-{zone}", zone))
    yield started
    assert "Traceback" not in started.stop()


@pytest.fixture
def namespace(live: PluginProcess) -> str:
    """A namespace of the test's own; it goes with the cluster, as deleting it takes seconds."""
    made = Resource(live, "kubernetes:core/v1:Namespace", "test")
    made.create({})
    return made.id


@pytest.fixture(scope="session")
def cluster_kubeconfig(cluster: KwokCluster) -> str:
    return cluster.kubeconfig
