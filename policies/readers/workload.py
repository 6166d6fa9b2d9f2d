"""A workload whose pods are brokers or controllers: how they get their identity, start and stop."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from policies.manifest import Doc, Manifest
from policies.readers import pods
from policies.readers.images import Convention
from policies.readers.services import headless, not_ready_addresses
from policies.readers.sources import Settings
from policies.rules.model import Fact, Start
from policies.world import World

CLUSTER_WIDE = re.compile(
    r"kafka-(?:topics|broker-api-versions|metadata-quorum|console|consumer-groups|get-offsets|log-dirs|leader-election)"
    r"|under-?replicated|kafka-cluster\b|cluster[-_]health",
    re.IGNORECASE,
)
_DEFAULT_GRACE = 30  # seconds, Kubernetes' own
DEFAULT_HEAP = 2**30  # kafka-server-start.sh: -Xmx1G
NATIVE = "kafka-native"  # Apache's image without a JVM


@dataclass(frozen=True)
class Workload:
    """A StatefulSet or Deployment, one container of which is a broker or controller."""

    owner: Manifest
    pod: Doc
    container: Doc
    settings: Settings
    labels: Mapping[str, object] | None

    @property
    def replicas(self) -> Fact[int]:
        """How many pods it has."""
        count = self.owner.spec("replicas").integer()
        return count if count.value is not None or count.undecided else Fact(count.path, 1, note="unset")


def start_of(workload: Workload, world: World) -> Start:
    """How the pods get their identity, start and stop."""
    owner, container, pod, settings = workload.owner, workload.container, workload.pod, workload.settings
    stateful = owner.kind == "StatefulSet"
    grace = pod["terminationGracePeriodSeconds"].integer()
    policy = owner.spec("podManagementPolicy")
    return Start(
        headless=headless(owner, workload.labels, world) if stateful else None,
        not_ready_addresses=not_ready_addresses(owner, world) if stateful else None,
        fixed_node_id=_fixed_id(settings),
        parallel=Fact(policy.path, policy.value == "Parallel", policy.text().undecided, policy.plain("OrderedReady"))
        if stateful
        else None,
        readiness_probe=_probe(container["readinessProbe"]),
        readiness_asks=not all(container["readinessProbe"][how].absent for how in ("exec", "httpGet")),
        liveness_on_cluster=_asks_cluster(container["livenessProbe"], settings.scripts),
        grace_period=grace
        if grace.value is not None or grace.undecided
        else Fact(grace.path, _DEFAULT_GRACE, note="unset"),
        image=container["image"].text(),
        requests=pods.requested(container["resources"]),
        memory_limit=container["resources"]["limits"]["memory"].quantity(),
        heap=_heap(container, settings),
    )


def _fixed_id(settings: Settings) -> Fact[str] | None:
    for key in ("node.id", "broker.id"):
        fact = settings.values.get(key)
        # -1 asks ZooKeeper for a number, one for each broker.
        if fact is None or fact.value is None or fact.value.startswith("-"):
            continue
        if "--override" in fact.path or key not in settings.command:
            return fact
    return None


def _probe(probe: Doc) -> Fact[bool]:
    return Fact(probe.path, not probe.absent, "the probe is computed by the deployment" if probe.unknown else "")


def _asks_cluster(probe: Doc, scripts: Mapping[str, str]) -> Fact[bool]:
    if probe.unknown:
        return Fact(probe.path, undecided="the probe is computed by the deployment")
    command = " ".join(part.plain() for part in probe["exec"]["command"].each())
    asks = any(CLUSTER_WIDE.search(text) for text in (command, *(scripts[name] for name in scripts if name in command)))
    return Fact(probe.path, asks, note="a command that asks the cluster" if asks else "")


def _heap(container: Doc, settings: Settings) -> Fact[int] | None:
    """The heap as it is written, else what kafka-server-start.sh gives where the image is known to start by it."""
    env = container["env"]
    for entry in env.each():
        if entry["name"].value in ("KAFKA_HEAP_OPTS", "HEAP_OPTS", "KAFKA_OPTS", "HEAP"):
            text = entry["value"].text()
            found = pods.heap(text) or pods.heap(Fact(text.path, f"-Xmx{text.value}"))
            if found:
                return found
    by_script = settings.convention is not Convention.OWN and NATIVE not in container["image"].plain()
    said = "HEAP_OPTS" in settings.command or any(entry["name"].value == "KAFKA_HEAP_OPTS" for entry in env.each())
    if said or not by_script or not env.whole or not container["envFrom"].absent:
        return None
    return Fact(f"{env.path}[KAFKA_HEAP_OPTS]", DEFAULT_HEAP, note="Kafka's default")
