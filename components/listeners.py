"""Where a node listens, for whom, and how it is protected: a model from which properties, ports and addresses follow.
Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

TLS_FOLDER: Final = "/etc/kafka-tls"
"""Where the nodes' certificate is mounted: `tls.crt`, `tls.key` and `ca.crt`, as a Secret of type kubernetes.io/tls."""
NODE_NAME: Final = "kafka-node"
"""Common name in the nodes' certificate: whoever shows it to a listener that asks for certificates may do all."""
KEYSTORE: Final = "/run/kafka-ha/node.pem"
"""Key and certificate in one file, as Kafka reads them (KIP-651); `start.sh` makes it."""
MECHANISM: Final = "SCRAM-SHA-512"
"""How clients log in."""

DRILL_LABELS: Final = {"app.kubernetes.io/name": "kafka-ha-drill"}
"""Of a drill's pod, which comes to the nodes' own listeners, too."""

_LOGIN_MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule"

_STORES: Final = {
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": KEYSTORE,
    "ssl.truststore.type": "PEM",
    "ssl.truststore.location": f"{TLS_FOLDER}/ca.crt",
}
TOOLS: Final = {"security.protocol": "SSL", **_STORES}
"""With what Kafka's own tools, run beside a node, come to the brokers' listener as that node."""


@dataclass(frozen=True)
class Listener:
    """A port with a protocol. `port_name` is its name in Services and containers."""

    name: str
    port: int
    port_name: str
    protocol: str


@dataclass(frozen=True)
class Listeners:
    """The listeners of a cluster's nodes; without security one serves clients and brokers."""

    clients: Listener
    brokers: Listener
    """For the brokers among themselves, for the checker and for tools."""
    controllers: Listener
    secured: bool
    external: Listener | None = None
    """For clients outside the Kubernetes cluster, of brokers alone. It is not among those of `of`: its addresses are no
    nodes' names.
    """

    def of(self, roles: Iterable[str]) -> tuple[Listener, ...]:
        """Those of a node with these roles. The controllers' is the last: it opens before there is a quorum."""
        found = {
            **({self.clients.name: self.clients, self.brokers.name: self.brokers} if "broker" in roles else {}),
            **({self.controllers.name: self.controllers} if "controller" in roles else {}),
        }
        return tuple(found.values())

    def properties(self, roles: Iterable[str]) -> dict[str, str]:
        """What a node with these roles reads of them, but for what names the node."""
        outside = [self.external] if self.external else []
        own = [*self.of(roles), *(outside if "broker" in roles else [])]
        named = {listener.name: listener for listener in (self.clients, self.brokers, self.controllers, *outside)}
        return {
            "listeners": ",".join(f"{one.name}://:{one.port}" for one in own),
            "controller.listener.names": self.controllers.name,
            "inter.broker.listener.name": self.brokers.name,
            "listener.security.protocol.map": ",".join(f"{name}:{one.protocol}" for name, one in sorted(named.items())),
            **(self._security() if self.secured else {}),
        }

    def _security(self) -> dict[str, str]:
        """Certificates of both sides among the nodes, SCRAM for clients, and nobody may do what no ACL allows him."""
        logging_in = [self.clients, *([self.external] if self.external else [])]
        return {
            **_STORES,
            **{
                f"listener.name.{one.name.lower()}.ssl.client.auth": "required"
                for one in (self.brokers, self.controllers)
            },
            **{f"listener.name.{one.name.lower()}.sasl.enabled.mechanisms": MECHANISM for one in logging_in},
            **{
                f"listener.name.{one.name.lower()}.{MECHANISM.lower()}.sasl.jaas.config": f"{_LOGIN_MODULE} required;"
                for one in logging_in
            },
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:CN={NODE_NAME}",
        }


def login(user: str, password: str) -> str:
    """How a client of Java's says who it is: its `sasl.jaas.config`."""
    return f'{_LOGIN_MODULE} required username="{user}" password="{password}";'


_PLAIN_CLIENTS = Listener("PLAINTEXT", 9092, "client", "PLAINTEXT")

PLAIN: Final = Listeners(
    clients=_PLAIN_CLIENTS,
    brokers=_PLAIN_CLIENTS,
    controllers=Listener("CONTROLLER", 9093, "controller", "PLAINTEXT"),
    secured=False,
)
"""No protection: whoever reaches a port may do all."""

SECURED: Final = Listeners(
    clients=Listener("CLIENTS", 9092, "client", "SASL_SSL"),
    brokers=Listener("INTERNAL", 9091, "internal", "SSL"),
    controllers=Listener("CONTROLLER", 9093, "controller", "SSL"),
    secured=True,
)
"""TLS everywhere: nodes know each other by certificate, clients log in."""

OUTSIDE: Final = Listener("EXTERNAL", 9095, "external", "SASL_SSL")
"""For clients outside the Kubernetes cluster."""
EXTERNAL: Final = replace(SECURED, external=OUTSIDE)
"""The same, and clients from outside come in by a port of their own."""
