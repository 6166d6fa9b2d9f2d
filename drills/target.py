"""Which Kafka a drill runs against: a stack's, or one that labels find; and whether drills are allowed there."""

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from kubernetes import config
from kubernetes.config import ConfigException, kube_config

from components.manifests import TLS_VOLUME
from drills.errors import Refused

DRILLS = "kafka-ha:drills"
"""The stack's setting that names the contexts which may be drilled."""
NAME_LABEL, INSTANCE_LABEL = "app.kubernetes.io/name", "app.kubernetes.io/instance"
_CLIENT_PORT = 9092
_PULUMI_SECONDS = 120

Pulumi = Callable[..., str]
"""Standard output of a pulumi command. Raises Refused."""


@dataclass(frozen=True)
class NodeSet:
    """Nodes of Kafka that one StatefulSet keeps."""

    name: str
    replicas: int
    first_id: int
    """Node id of ordinal 0; the others follow it."""
    broker: bool
    controller: bool
    container: str = "kafka"
    """Kafka's own, of the pod's."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """That select the pods."""

    def id_of(self, pod: str) -> int | None:
        """Node id of the pod of that name; None for one of another set."""
        prefix, _, ordinal = pod.rpartition("-")
        return self.first_id + int(ordinal) if prefix == self.name and ordinal.isdecimal() else None

    @property
    def pods(self) -> tuple[str, ...]:
        """Names of the pods."""
        return tuple(f"{self.name}-{ordinal}" for ordinal in range(self.replicas))


@dataclass(frozen=True)
class Target:
    """A Kafka on Kubernetes."""

    context: str
    namespace: str
    selector: str
    """Labels of its StatefulSets."""
    sets: tuple[NodeSet, ...]
    image: str
    """Of the brokers."""
    checker_image: str | None
    """Python's, where the pods have a checker."""
    bootstrap: str
    client_properties: str
    """As the stack exports them; empty where there is no stack."""
    stack: str | None = None
    certificate: str | None = None
    """Secret of the nodes' certificate, by which a drill comes in where security is on."""

    @property
    def brokers(self) -> tuple[int, ...]:
        """Ids of the brokers."""
        return tuple(one.first_id + ordinal for one in self.sets if one.broker for ordinal in range(one.replicas))

    def set_of(self, pod: str) -> NodeSet | None:
        """The set that keeps the pod."""
        return next((one for one in self.sets if one.id_of(pod) is not None), None)

    def pod_of(self, node_id: int) -> str:
        """Name of the pod of a node of Kafka. Raises Refused when there is none."""
        for one in self.sets:
            if one.first_id <= node_id < one.first_id + one.replicas:
                return one.pods[node_id - one.first_id]
        raise Refused(f"there is no node {node_id}; {self.where} has {', '.join(map(str, self.ids))}.")

    @property
    def ids(self) -> tuple[int, ...]:
        """Ids of all nodes of Kafka."""
        return tuple(one.first_id + ordinal for one in self.sets for ordinal in range(one.replicas))

    @property
    def where(self) -> str:
        """For messages."""
        return f"the Kafka in namespace {self.namespace} of context {self.context}"


@dataclass(frozen=True)
class Place:
    """Where a Kafka is to be looked for, and what is known of it beforehand."""

    kubeconfig: Mapping[str, Any] | None
    """The user's own (KUBECONFIG, else ~/.kube/config) when None."""
    context: str
    namespace: str
    selector: str
    bootstrap: str | None = None
    client_properties: str = ""
    first_id: int = 0
    stack: str | None = None

    def configuration(self) -> Any:
        """Of the Kubernetes client. Raises Refused when the kubeconfig does not fit."""
        try:
            if self.kubeconfig is None:
                return config.new_client_from_config(context=self.context).configuration
            return config.new_client_from_config_dict(dict(self.kubeconfig), context=self.context).configuration
        except ConfigException as error:
            raise Refused(f"--context: got {self.context}, which the kubeconfig does not have ready: {error}") from None


def from_stack(stack: str, pulumi: Pulumi | None = None, *, drill: bool = True) -> Place:
    """Where the stack's Kafka is. Raises Refused when it is not deployed, or, for a drill, when it does not name its
    context as a drill target.
    """
    run = pulumi or _pulumi
    settings = json.loads(run("config", "--stack", stack, "--json"))
    outputs = json.loads(run("stack", "output", "--stack", stack, "--json", "--show-secrets"))
    if missing := [name for name in ("kubeconfig", "bootstrap") if name not in outputs]:
        raise Refused(f"--stack: got {stack}, which has no output {missing[0]}. Deploy it first: make up STACK={stack}")
    kubeconfig = yaml.safe_load(outputs["kubeconfig"])
    cluster, kafka = _setting(settings, "kafka-ha:cluster"), _setting(settings, "kafka-ha:kafka")
    if cluster.get("kind") == "kwok":
        raise Refused(f"--stack: got {stack}, whose cluster is simulated: no Kafka runs there. Use a stack with k3d.")
    context = cluster.get("context") or kubeconfig["current-context"]
    named = _setting(settings, DRILLS).get("contexts", [])
    if drill and context not in named:
        raise Refused(
            f"{DRILLS}.contexts: got {', '.join(named) or 'nothing'}, so the context {context} is no drill target. If "
            f"records may be risked there, name it: pulumi config set --stack {stack} --path '{DRILLS}.contexts[0]' "
            f"{context}"
        )
    name = kafka.get("name", "kafka")
    return Place(
        kubeconfig=kubeconfig,
        context=context,
        namespace=kafka.get("namespace", "kafka"),
        selector=f"{NAME_LABEL}=kafka,{INSTANCE_LABEL}={name}",
        bootstrap=outputs["bootstrap"],
        client_properties=outputs.get("clientProperties", ""),
        stack=stack,
    )


def contexts() -> list[str]:
    """Names of the contexts in the user's kubeconfig. Raises Refused when it can't be read."""
    path = kube_config.KUBE_CONFIG_DEFAULT_LOCATION
    try:
        # Merged as kubectl does; the library's list of contexts wants a current one.
        found: Any = kube_config.KubeConfigMerger(path).config
        return [one.value["name"] for one in found.value["contexts"]] if found else []
    except (ConfigException, OSError, ValueError, yaml.YAMLError) as error:
        raise Refused(f"KUBECONFIG: got {path}, which can't be read ({error}). Set it to a kubeconfig.") from None


def from_kubeconfig(
    names: Sequence[str], context: str, allowed: Sequence[str], namespace: str, selector: str, **known: Any
) -> Place:
    """Where somebody else's Kafka is, in one of these contexts. Raises Refused unless `allowed` repeats its name."""
    if context not in names:
        raise Refused(
            f"--context: got {context}, but the kubeconfig has {', '.join(names) or 'no context'}. Name one of those, "
            "or set KUBECONFIG."
        )
    if context not in allowed:
        raise Refused(
            f"--allow-context: got {', '.join(allowed) or 'nothing'}, so {context} is no drill target. A drill stops "
            f"brokers and nodes: if that may happen there, repeat the name: --allow-context {context}"
        )
    return Place(None, context, namespace, selector, **known)


def find(place: Place, stateful_sets: Sequence[Mapping[str, Any]]) -> Target:
    """The Kafka at that place, of its StatefulSets. Raises Refused when there is none."""
    if not stateful_sets:
        raise Refused(
            f"--selector: got {place.selector}, but no StatefulSet in namespace {place.namespace} of context "
            f"{place.context} has these labels. Give the labels of Kafka's: kubectl get statefulsets -A --show-labels"
        )
    sets = tuple(_node_set(one, place.first_id) for one in stateful_sets)
    first = next((one for one, found in zip(stateful_sets, sets, strict=True) if found.broker), stateful_sets[0])
    bootstrap, certificate = place.bootstrap or _bootstrap(first, place.namespace), _certificate(first)
    return Target(
        context=place.context,
        namespace=place.namespace,
        selector=place.selector,
        sets=sets,
        image=_kafka_container(first)["image"],
        checker_image=next((one["image"] for one in _containers(first) if one["name"] == "checker"), None),
        bootstrap=_at_port(bootstrap, _told(first)["BROKER_PORT"]) if certificate else bootstrap,
        client_properties=place.client_properties,
        stack=place.stack,
        certificate=certificate,
    )


def _node_set(stateful_set: Mapping[str, Any], first_id: int) -> NodeSet:
    """Roles and first id stand in the environment of this program's checker, and of many images; a set that does not
    tell has both roles.
    """
    told = _told(stateful_set)
    roles = told.get("ROLES") or told.get("KAFKA_PROCESS_ROLES") or told.get("KAFKA_CFG_PROCESS_ROLES") or ""
    spec = stateful_set["spec"]
    return NodeSet(
        name=stateful_set["metadata"]["name"],
        replicas=spec.get("replicas", 1),
        first_id=int(told.get("FIRST_NODE_ID") or first_id),
        broker=not roles or "broker" in roles,
        controller=not roles or "controller" in roles,
        container=_kafka_container(stateful_set)["name"],
        labels=spec["selector"]["matchLabels"],
    )


def _told(stateful_set: Mapping[str, Any]) -> dict[str, str]:
    """The variables of all its containers."""
    return {one["name"]: one.get("value") or "" for part in _containers(stateful_set) for one in part.get("env") or []}


def _certificate(stateful_set: Mapping[str, Any]) -> str | None:
    """As this program mounts it."""
    volumes = stateful_set["spec"]["template"]["spec"].get("volumes") or []
    return next((one["secret"]["secretName"] for one in volumes if one["name"] == TLS_VOLUME), None)


def _at_port(bootstrap: str, port: str) -> str:
    return ",".join(f"{address.rpartition(':')[0]}:{port}" for address in bootstrap.split(","))


def _containers(stateful_set: Mapping[str, Any]) -> list[dict[str, Any]]:
    spec = stateful_set["spec"]["template"]["spec"]
    return [*(spec.get("initContainers") or []), *spec["containers"]]


def _kafka_container(stateful_set: Mapping[str, Any]) -> dict[str, Any]:
    """The one called kafka, else the first."""
    containers: list[dict[str, Any]] = stateful_set["spec"]["template"]["spec"]["containers"]
    return next((one for one in containers if one["name"] == "kafka"), containers[0])


def _bootstrap(stateful_set: Mapping[str, Any], namespace: str) -> str:
    name, spec = stateful_set["metadata"]["name"], stateful_set["spec"]
    hosts = (f"{name}-{ordinal}.{spec['serviceName']}.{namespace}.svc" for ordinal in range(spec.get("replicas", 1)))
    return ",".join(f"{host}:{_CLIENT_PORT}" for host in hosts)


def _setting(settings: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = settings.get(key, {}).get("objectValue") or {}
    return found


def _pulumi(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            capture_output=True,
            text=True,
            timeout=_PULUMI_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise Refused('pulumi is not on PATH. Use make drill, or: eval "$(make -s env)"') from None
    except subprocess.TimeoutExpired:
        raise Refused(f"pulumi {arguments[0]} did not answer within {_PULUMI_SECONDS} s.") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise Refused(f"pulumi {' '.join(arguments[:2])}: {said[-1] if said else 'failed'}")
    return done.stdout
