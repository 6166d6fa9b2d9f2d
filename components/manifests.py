"""From a plan to Kubernetes manifests, as plain data. Pure: the components create them, the rules and tests
read them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic.alias_generators import to_snake

from components.failover import KEEPALIVE
from components.kafka_plan import HEALTH_PORT, LOG_FOLDER, METRICS_PORT, KafkaPlan, NodesPlan
from components.kafka_settings import KafkaSettings, NodePool
from components.listeners import DRILL_LABELS, KEYSTORE, NODE_NAME, OUTSIDE, TLS_FOLDER, Listener
from components.metrics_settings import Metrics
from components.security_settings import Issuer

Manifest = dict[str, Any]

ZONE_LABEL = "topology.kubernetes.io/zone"
HOST_LABEL = "kubernetes.io/hostname"
POD_LABEL = "statefulset.kubernetes.io/pod-name"
TLS_VOLUME = "tls"
"""Of the nodes' certificate, in their pods."""
METRICS, HEALTH = "metrics", "health"
"""Names of the ports that Prometheus scrapes: Kafka's, and the checker's."""
CONFIG_FOLDER = "/etc/kafka-ha"
"""Where a node's files are mounted."""
_RUN = "/run/kafka-ha"
_CHECKER = "/opt/kafka-ha"
_METADATA_VERSION = "metadata-version"
_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_OURS: Manifest = {"annotations": {"pulumi.com/patchForce": "true"}}
"""Of what nobody else may hold: what was changed by hand is changed back."""
_USER = 1000  # appuser of the official image
_PROBE_PERIOD = 2  # seconds
_TOKEN_SECONDS = 3600  # the kubelet renews it


def arguments(manifest: Manifest) -> dict[str, Any]:
    """A manifest's top level as Python arguments; what is below may stay as Kubernetes writes it."""
    return {to_snake(key): value for key, value in manifest.items()}


def labels(plan: KafkaPlan, nodes: NodesPlan | None = None) -> dict[str, str]:
    """The labels of all objects of the cluster; with `nodes`, those that select their pods."""
    component = {"app.kubernetes.io/component": nodes.component} if nodes else {}
    return {"app.kubernetes.io/name": "kafka", "app.kubernetes.io/instance": plan.settings.name, **component}


def namespace(plan: KafkaPlan) -> Manifest:
    """The namespace, which admits only pods that keep to Kubernetes' `restricted` security standard."""
    enforce = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"metadata": {"name": plan.settings.namespace, "labels": enforce}}


def service_account(plan: KafkaPlan) -> Manifest:
    """Whom the checker and `prepare` are to the API server; Kafka's own container has no token."""
    return {"metadata": _metadata(plan, plan.settings.name), "automountServiceAccountToken": False}


def role(plan: KafkaPlan) -> Manifest:
    """What they may do: read and write the marks, take turns in stopping, see whether their set is being deleted."""
    return {
        "metadata": _metadata(plan, plan.settings.name),
        "rules": [
            _rule("", "configmaps", ["get", "patch"], marks_name(plan)),
            _rule("coordination.k8s.io", "leases", ["get", "update"], _lease_name(plan)),
            _rule("coordination.k8s.io", "leases", ["create"]),
            _rule("apps", "statefulsets", ["get"], *(nodes.name for nodes in plan.groups)),
        ],
    }


def role_binding(plan: KafkaPlan) -> Manifest:
    """Gives them the role."""
    return _binding(plan, _metadata(plan, plan.settings.name), "Role", plan.settings.name)


def zone_reader(plan: KafkaPlan) -> Manifest:
    """Reading nodes, for their zone: only where Kubernetes does not copy it to the pods' labels."""
    return {"metadata": _wide(plan), "rules": [_rule("", "nodes", ["get"])]}


def zone_reader_binding(plan: KafkaPlan) -> Manifest:
    """Gives them that right."""
    return _binding(plan, _wide(plan), "ClusterRole", _wide(plan)["name"])


def service(plan: KafkaPlan, nodes: NodesPlan) -> Manifest:
    """The headless Service that the StatefulSet asks for."""
    return _service(plan, nodes, nodes.service, labels(plan, nodes), {"clusterIP": "None"})


def node_service(plan: KafkaPlan, nodes: NodesPlan, pod: str) -> Manifest:
    """The Service that is a node's address, for clients and other nodes.

    A pod's own address changes with each restart, so that its name must be looked up anew; Kafka does so in the
    thread that keeps the quorum, and where the DNS server is lost with the same node, the election waits for it (20 s,
    measured). The address of a Service stays: it is looked up once (`start.sh`). And while the pod is gone, a
    connection is refused at once instead of being waited for.
    """
    return _service(plan, nodes, pod, labels(plan, nodes) | {POD_LABEL: pod}, {})


def _service(plan: KafkaPlan, nodes: NodesPlan, name: str, selector: Manifest, more: Manifest) -> Manifest:
    """`publishNotReadyAddresses`: the quorum must find its voters before any of them is ready."""
    return {
        "metadata": _metadata(plan, name, nodes),
        "spec": {
            **more,
            "publishNotReadyAddresses": True,
            "selector": selector,
            "ports": [{"name": listener.port_name, "port": listener.port} for listener in nodes.listeners],
        },
    }


def external_service(plan: KafkaPlan, pod: str) -> Manifest:
    """The Service by which clients outside the cluster reach a broker, also one that is not ready: what is out of sync
    with one partition may lead others.

    `Local`: a load balancer comes to the broker's own node, and no other passes clients on, whose loss they would feel.
    With ports of the nodes it is DNS that would have to follow the broker: so each node passes them on.
    """
    outside, broker = plan.settings.external, plan.brokers.first_id + plan.brokers.pods.index(pod)
    assert outside, "only a cluster that clients outside reach has it"
    port: Manifest = {"name": OUTSIDE.port_name, "port": OUTSIDE.port, "targetPort": OUTSIDE.port}
    if outside.node_port is not None:
        port["nodePort"] = outside.port(broker)
    annotations = {key: outside.of(value, broker) for key, value in outside.annotations.items()}
    metadata = _metadata(plan, f"{pod}-external", plan.brokers)
    return {
        "metadata": metadata | ({"annotations": annotations} if annotations else {}),
        "spec": {
            "type": outside.service,
            "externalTrafficPolicy": "Local" if outside.service == "LoadBalancer" else "Cluster",
            "publishNotReadyAddresses": True,
            "selector": labels(plan, plan.brokers) | {POD_LABEL: pod},
            "ports": [port],
        },
    }


def disruption_budget(plan: KafkaPlan, nodes: NodesPlan) -> Manifest:
    """The budget that refuses an eviction which writes or the quorum would not outlive.

    `IfHealthyBudget`: a node that is not ready catches up; evicting it counts like any other (Kubernetes
    documentation, unhealthyPodEvictionPolicy).
    """
    return {
        "metadata": _metadata(plan, nodes.name, nodes),
        "spec": {
            "maxUnavailable": nodes.max_unavailable,
            "unhealthyPodEvictionPolicy": "IfHealthyBudget",
            "selector": {"matchLabels": labels(plan, nodes)},
        },
    }


def config_map(plan: KafkaPlan, nodes: NodesPlan) -> Manifest:
    """The files that every node starts from, and the version of a new cluster's metadata, which rolls no node."""
    version = plan.settings.metadata_version
    data = {**plan.files(nodes), **({_METADATA_VERSION: version} if version else {})}
    return {"metadata": _metadata(plan, _config_name(nodes), nodes), "data": data}


def checker_config_map(plan: KafkaPlan) -> Manifest:
    """The checker's program."""
    return {"metadata": _metadata(plan, _checker_name(plan)), "data": dict(plan.checker)}


def client_config_map(plan: KafkaPlan) -> Manifest:
    """What is recommended to clients: mount it, or copy it."""
    bootstrap = f"bootstrap.servers={plan.bootstrap}\n"
    return {
        "metadata": _metadata(plan, f"{plan.settings.name}-client"),
        "data": {"client.properties": bootstrap + plan.client_properties},
    }


def marks_config_map(plan: KafkaPlan) -> Manifest:
    """The marks of the nodes' first format, which the nodes write; see `checker.prepare`."""
    return {"metadata": _metadata(plan, marks_name(plan))}


def marks_name(plan: KafkaPlan) -> str:
    """Name of the ConfigMap of marks."""
    return f"{plan.settings.name}-marks"


def tls_name(plan: KafkaPlan) -> str:
    """Name of the Secret of the nodes' certificate."""
    return f"{plan.settings.name}-tls"


def tls_secret(plan: KafkaPlan) -> Manifest:
    """The Secret of the nodes' certificate, without what it holds."""
    return {"metadata": _metadata(plan, tls_name(plan)) | _OURS, "type": "kubernetes.io/tls"}


def user_secret(kafka: KafkaSettings, user: str) -> Manifest:
    """The Secret of a user, without what it holds."""
    own = {"app.kubernetes.io/name": "kafka-user", "app.kubernetes.io/instance": kafka.name}
    return {
        "metadata": {"name": f"{kafka.name}-user-{user}", "namespace": kafka.namespace, "labels": own} | _OURS,
        "type": "Opaque",
    }


def certificate(plan: KafkaPlan, issuer: Issuer, days: int, hosts: Sequence[str]) -> Manifest:
    """The nodes' certificate as cert-manager makes and renews it (https://cert-manager.io/docs/usage/certificate)."""
    hours = days * 24
    addresses = [host for host in hosts if host[0].isdigit()]
    return {
        "metadata": _metadata(plan, plan.settings.name),
        "spec": {
            "secretName": tls_name(plan),
            "commonName": NODE_NAME,
            "dnsNames": [host for host in hosts if host not in addresses],
            "ipAddresses": addresses,
            "duration": f"{hours}h",
            "renewBefore": f"{hours // 3}h",
            "usages": ["digital signature", "server auth", "client auth"],
            # PKCS 8, which Kafka reads (KIP-651).
            "privateKey": {"algorithm": "ECDSA", "size": 256, "encoding": "PKCS8", "rotationPolicy": "Always"},
            "issuerRef": issuer.as_inputs() | {"group": "cert-manager.io"},
        },
    }


def network_policy(plan: KafkaPlan) -> Manifest:
    """Lets only Kafka's own pods, and those of drills, come to the listeners of brokers and controllers. Clients log
    in, and what is measured tells no record: these ports are open to all.
    """
    inside = (plan.listeners.brokers.port, plan.listeners.controllers.port)
    outside = [OUTSIDE.port] if plan.settings.external else []
    open_to_all = (plan.listeners.clients.port, *outside, HEALTH_PORT, METRICS_PORT)
    own = [{"podSelector": {"matchLabels": found}} for found in (labels(plan), DRILL_LABELS)]
    return {
        "metadata": _metadata(plan, plan.settings.name),
        "spec": {
            "podSelector": {"matchLabels": labels(plan)},
            "policyTypes": ["Ingress"],
            "ingress": [
                {"ports": [{"port": port} for port in open_to_all]},
                {"ports": [{"port": port} for port in inside], "from": own},
            ],
        },
    }


def is_secured(volumes: Sequence[Manifest]) -> bool:
    """Whether pods with these volumes have a certificate."""
    return any(volume["name"] == TLS_VOLUME for volume in volumes)


def stateful_set(plan: KafkaPlan, nodes: NodesPlan, annotations: Mapping[str, Any] | None = None) -> Manifest:
    """The nodes. `annotations`: of their pods; a change of one rolls them.

    `Parallel`: the first node is ready only with a quorum, which ordered starts would never form.
    The claims outlive the StatefulSet: deleting data is a step of its own.
    """
    selected = labels(plan, nodes)
    return {
        "metadata": _metadata(plan, nodes.name, nodes),
        "spec": {
            "serviceName": nodes.service,
            "replicas": nodes.replicas,
            "podManagementPolicy": "Parallel",
            "updateStrategy": {"type": "RollingUpdate"},
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
            "selector": {"matchLabels": selected},
            "template": {
                "metadata": {
                    "labels": selected,
                    # A changed file rolls the nodes; Kubernetes alone would leave them on the old one.
                    "annotations": {"kafka-ha/config-checksum": plan.checksum(nodes), **(annotations or {})},
                },
                "spec": _pod(plan, nodes),
            },
            "volumeClaimTemplates": [_claim(nodes, name) for name in nodes.claims],
        },
    }


def _pod(plan: KafkaPlan, nodes: NodesPlan) -> Manifest:
    kafka = plan.settings
    return {
        "serviceAccountName": kafka.name,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": kafka.termination_grace_period.seconds,
        "enableServiceLinks": False,  # else the Service's KAFKA_… variables would be taken for settings
        # A lost DNS server is given up after a second: the resolver's own 5 s are the longest gap of all.
        "dnsConfig": {"options": [{"name": "timeout", "value": "1"}, {"name": "attempts", "value": "3"}]},
        "topologySpreadConstraints": [
            # minDomains: while a zone has no node, its broker waits instead of doubling up in another zone.
            _spread(plan, nodes, ZONE_LABEL) | {"minDomains": min(len(plan.zones), nodes.replicas)},
            _spread(plan, nodes, HOST_LABEL),
        ],
        **_placing(kafka.node_pool),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
            "sysctls": [{"name": name, "value": value} for name, value in KEEPALIVE.items()],
        },
        "initContainers": [_prepare(plan, nodes), _checker(plan, nodes)],
        "containers": [_kafka(plan, nodes)],
        "volumes": [
            {"name": "config", "configMap": {"name": _config_name(nodes)}},
            {"name": "checker", "configMap": {"name": _checker_name(plan)}},
            {"name": "tmp", "emptyDir": {}},
            {"name": "run", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
            {"name": "account", "projected": {"sources": _account()}},
            *_if_secured(plan, {"name": TLS_VOLUME, "secret": {"secretName": tls_name(plan), "defaultMode": 0o440}}),
        ],
    }


def _placing(pool: NodePool) -> Manifest:
    fields = {
        "nodeSelector": pool.node_selector,
        "tolerations": [toleration.as_inputs() for toleration in pool.tolerations],
        "priorityClassName": pool.priority_class,
    }
    return {name: value for name, value in fields.items() if value}


def _kafka(plan: KafkaPlan, nodes: NodesPlan) -> Manifest:
    kafka = plan.settings
    # The controller's port, where there is one: it opens before there is a quorum.
    listening = {"tcpSocket": {"port": nodes.listeners[-1].port}, "periodSeconds": _PROBE_PERIOD}
    environment = {
        "POD": _field("metadata.name"),
        "DOMAIN": nodes.domain,
        "LISTENERS": " ".join(f"{listener.name}:{listener.port}" for listener in nodes.listeners),
        "DISKS": " ".join(nodes.disks),
        "LOG_FOLDER": LOG_FOLDER,
        "CLUSTER_ID": plan.cluster_id,
        "METADATA_VERSION": _key(_config_name(nodes), _METADATA_VERSION),
        "HEAP": f"{int(nodes.resources.heap.amount) // 2**20}m",
        "JVM_OPTIONS": kafka.jvm_options,
        "GRACE_PERIOD": str(kafka.termination_grace_period.seconds),
        **({"TLS": TLS_FOLDER, "KEYSTORE": KEYSTORE} if kafka.security else {}),
        **(_external(plan) if nodes is plan.brokers else {}),
    }
    return {
        "name": "kafka",
        "image": kafka.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["bash", f"{CONFIG_FOLDER}/start.sh"],
        "env": _environment(environment),
        "ports": [
            *({"name": listener.port_name, "containerPort": listener.port} for listener in _ports(plan, nodes)),
            *([{"name": METRICS, "containerPort": METRICS_PORT}] if kafka.metrics else []),
        ],
        # No liveness probe: the container ends with Kafka, and a restart helps no node that waits for its quorum.
        "startupProbe": listening | {"failureThreshold": kafka.startup_timeout.seconds // _PROBE_PERIOD},
        # The checker answers it: ready means in sync.
        "readinessProbe": {
            "httpGet": {"path": "/ready", "port": HEALTH_PORT},
            "periodSeconds": _PROBE_PERIOD,
            "timeoutSeconds": 2,
            "failureThreshold": 2,
        },
        "lifecycle": {"preStop": {"exec": {"command": ["bash", f"{CONFIG_FOLDER}/stop.sh"]}}},
        "resources": {
            "requests": {"cpu": str(nodes.resources.cpu), "memory": str(nodes.resources.memory)},
            "limits": {"memory": str(nodes.resources.memory)},
        },
        "securityContext": _RESTRICTED,
        "volumeMounts": [
            *_disks(nodes),
            {"name": "config", "mountPath": CONFIG_FOLDER, "readOnly": True},
            {"name": "run", "mountPath": _RUN},
            {"name": "tmp", "mountPath": "/tmp"},
            *_certificate(plan),
        ],
    }


def _prepare(plan: KafkaPlan, nodes: NodesPlan) -> Manifest:
    """Decides what is done with the disk, before Kafka's container starts."""
    return _python(plan, nodes, "prepare", ["-m", "checker.prepare"]) | {"volumeMounts": [*_mounts(), *_disks(nodes)]}


def _checker(plan: KafkaPlan, nodes: NodesPlan) -> Manifest:
    """A sidecar: starts before Kafka and stops after it (Kubernetes 1.29 and later)."""
    disks = [disk | {"readOnly": True} for disk in _disks(nodes)]
    return _python(plan, nodes, "checker", ["-m", "checker"]) | {
        "restartPolicy": "Always",
        **({"ports": [{"name": HEALTH, "containerPort": HEALTH_PORT}]} if plan.settings.metrics else {}),
        "volumeMounts": [*_mounts(), *disks, *_certificate(plan)],
    }


def _python(plan: KafkaPlan, nodes: NodesPlan, name: str, arguments: list[str]) -> Manifest:
    kafka = plan.settings
    environment = {
        "POD": _field("metadata.name"),
        "NODE_NAME": _field("spec.nodeName"),
        **({"ZONE": _field(f"metadata.labels['{ZONE_LABEL}']")} if plan.pods_know_their_zone else {}),
        "NAMESPACE": kafka.namespace,
        "FIRST_NODE_ID": str(nodes.first_id),
        "ROLES": ",".join(nodes.roles),
        "MIN_ISR": str(kafka.min_insync_replicas),
        "ZONES": " ".join(plan.zones),
        "CLUSTER_ID": plan.cluster_id,
        "VOTERS": ",".join(plan.voters),
        "CONTROLLERS": ",".join(plan.quorum),
        "MARKS": marks_name(plan),
        "LEASE": _lease_name(plan),
        "BROKER_PORT": str(plan.listeners.brokers.port),
        "HEALTH_PORT": str(HEALTH_PORT),
        "GRACE_PERIOD": str(kafka.termination_grace_period.seconds),
        "DISKS": " ".join(nodes.disks),
        "LOG_FOLDER": LOG_FOLDER,
        "RUN": _RUN,
        "PYTHONPATH": _CHECKER,
        "PYTHONDONTWRITEBYTECODE": "1",
        "MALLOC_ARENA_MAX": "1",  # one arena for both threads: a quarter of the memory
        **_agent(kafka.metrics),
        **({"TLS": TLS_FOLDER, "DOMAIN": nodes.domain} if kafka.security else {}),
    }
    return {
        "name": name,
        "image": kafka.checker_image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", *arguments],
        "env": _environment(environment),
        # A refusal is shown by kubectl describe.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "resources": {"requests": {"cpu": "10m", "memory": "20Mi"}, "limits": {"memory": "64Mi"}},
        "securityContext": _RESTRICTED,
    }


def _agent(metrics: Metrics | None) -> dict[str, str]:
    """What `prepare` needs to give Kafka the agent that exports metrics."""
    if metrics is None:
        return {}
    options = f"{METRICS_PORT}:{CONFIG_FOLDER}/metrics.yaml"
    return {"AGENT_URL": metrics.agent.url, "AGENT_SHA256": metrics.agent.sha256, "AGENT_OPTIONS": options}


def _mounts() -> list[Manifest]:
    return [
        {"name": "checker", "mountPath": f"{_CHECKER}/checker", "readOnly": True},
        {"name": "run", "mountPath": _RUN},
        {"name": "account", "mountPath": _ACCOUNT, "readOnly": True},
    ]


def _ports(plan: KafkaPlan, nodes: NodesPlan) -> tuple[Listener, ...]:
    return (*nodes.listeners, OUTSIDE) if plan.settings.external and nodes is plan.brokers else nodes.listeners


def _external(plan: KafkaPlan) -> dict[str, str]:
    """What start.sh makes each broker's address for clients outside of."""
    outside = plan.settings.external
    if outside is None:
        return {}
    return {
        "EXTERNAL": f"{OUTSIDE.name}://{outside.hosts}",
        "EXTERNAL_PORT": str(outside.port(0)),
        "EXTERNAL_STEP": str(outside.port(1) - outside.port(0)),
    }


def _if_secured(plan: KafkaPlan, *items: Manifest) -> tuple[Manifest, ...]:
    return items if plan.listeners.secured else ()


def _certificate(plan: KafkaPlan) -> tuple[Manifest, ...]:
    return _if_secured(plan, {"name": TLS_VOLUME, "mountPath": TLS_FOLDER, "readOnly": True})


def _disks(nodes: NodesPlan) -> list[Manifest]:
    return [{"name": name, "mountPath": disk} for name, disk in zip(nodes.claims, nodes.disks, strict=True)]


_RESTRICTED: Manifest = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def _account() -> list[Manifest]:
    authority = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    return [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": _TOKEN_SECONDS}},
        {"configMap": authority},
    ]


def _claim(nodes: NodesPlan, name: str) -> Manifest:
    spec: Manifest = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": str(nodes.storage.size)}},
    }
    if nodes.storage.storage_class:
        spec["storageClassName"] = nodes.storage.storage_class
    return {"metadata": {"name": name}, "spec": spec}


def _spread(plan: KafkaPlan, nodes: NodesPlan, topology_key: str) -> Manifest:
    return {
        "maxSkew": 1,
        "topologyKey": topology_key,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": labels(plan, nodes)},
    }


def _metadata(plan: KafkaPlan, name: str, nodes: NodesPlan | None = None) -> Manifest:
    return {"name": name, "namespace": plan.settings.namespace, "labels": labels(plan, nodes)}


def _wide(plan: KafkaPlan) -> Manifest:
    """Of objects that belong to no namespace."""
    kafka = plan.settings
    return {"name": f"{kafka.namespace}-{kafka.name}-zones", "labels": labels(plan)}


def _binding(plan: KafkaPlan, metadata: Manifest, kind: str, name: str) -> Manifest:
    subject = {"kind": "ServiceAccount", "name": plan.settings.name, "namespace": plan.settings.namespace}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
    return {"metadata": metadata, "roleRef": reference, "subjects": [subject]}


def _rule(group: str, resource: str, verbs: list[str], *names: str) -> Manifest:
    rule: Manifest = {"apiGroups": [group], "resources": [resource], "verbs": verbs}
    return rule | {"resourceNames": list(names)} if names else rule


def _field(path: str) -> Manifest:
    """The value of a variable that the kubelet fills in."""
    return {"valueFrom": {"fieldRef": {"fieldPath": path}}}


def _key(config_map: str, key: str) -> Manifest:
    """The value of a variable that a ConfigMap may hold: another value there does not change the pod."""
    return {"valueFrom": {"configMapKeyRef": {"name": config_map, "key": key, "optional": True}}}


def _environment(variables: dict[str, Any]) -> list[Manifest]:
    return [
        {"name": name, **(value if isinstance(value, dict) else {"value": value})} for name, value in variables.items()
    ]


def _config_name(nodes: NodesPlan) -> str:
    return f"{nodes.name}-config"


def _checker_name(plan: KafkaPlan) -> str:
    return f"{plan.settings.name}-checker"


def _lease_name(plan: KafkaPlan) -> str:
    return f"{plan.settings.name}-stop"
