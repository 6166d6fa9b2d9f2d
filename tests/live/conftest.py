"""One deployed stack for all live tests; `run.sh` sets the environment."""

import math
import shutil
import time
from collections.abc import Generator, Iterator

import pytest

from tests.live.client import KafkaClient
from tests.live.cluster import Cluster, eventually
from tests.live.evidence import evidence
from tests.live.stack import live_stack, remove_leftovers
from tests.stack import Stack

# In the order of a stack's life; test_upgrade has a stack of its own.
_ORDER = (
    "test_up",
    "test_records",
    "test_readiness",
    "test_changes",
    "test_settings_live",
    "test_drain",
    "test_storage",
    "test_stops",
    "test_quorum",
    "test_failover",
    "test_drills",
    "test_placement",
    "test_scaling",
    "test_dedicated",
    "test_security",
    "test_two_losses",
    "test_majority_lost",
    "test_destroy",
    "test_upgrade",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--until", type=float, default=math.inf, help="begin no live test after that time, in seconds since the epoch"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _ORDER.index(item.path.stem))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before any fixture. A run that is ended from outside would tell nothing, and leave its cluster."""
    if time.time() > item.config.getoption("--until"):
        pytest.skip("the time given by --until is over; `make live` runs all")


_TOLD = pytest.StashKey[BaseException]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    stash = item.session.stash
    # A fixture that failed raises the same error in every test of its module: once is enough.
    if report.failed and call.excinfo and stash.get(_TOLD, None) is not call.excinfo.value:
        stash[_TOLD] = call.excinfo.value
        report.sections.append(("the cluster", evidence()))
    return report


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack, deployed; destroyed at the end if a test has not done so."""
    for program in ("pulumi", "k3d", "kubectl", "docker"):
        if not shutil.which(program):
            pytest.fail(f"{program} is not on PATH: start the live tests by make live", pytrace=False)
    remove_leftovers()
    stack = live_stack(tmp_path_factory.mktemp("live"))
    try:
        stack.up()
        yield stack
        if stack.exists:
            stack.destroy()
    finally:
        remove_leftovers()


@pytest.fixture(scope="session")
def cluster(stack: Stack) -> Cluster:
    """The API of the stack's cluster."""
    kafka = stack.config["kafka"]
    names = kafka.get("namespace", "kafka"), kafka.get("name", "kafka")
    return Cluster(stack.outputs()["kubeconfig"], stack.folder, *names)


@pytest.fixture(scope="session")
def kafka(stack: Stack, cluster: Cluster) -> KafkaClient:
    """A client inside the cluster."""
    return KafkaClient(cluster, cluster.kafka_image(), stack.outputs()["bootstrap"])


@pytest.fixture
def topic(stack: Stack) -> str:
    """The name of the topic that the stack makes."""
    name: str = stack.config["topics"][0]["name"]
    return name


@pytest.fixture
def healthy(cluster: Cluster) -> None:
    """Starts a test from three ready brokers and all replicas in sync, whatever the one before left."""
    eventually("all brokers are ready", lambda: len(cluster.ready()) == cluster.stateful_set().spec.replicas)
    eventually("all replicas are in sync", cluster.fully_replicated)
