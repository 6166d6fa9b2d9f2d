"""What can be set of encryption, logins and rights."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from components.listeners import OUTSIDE
from components.settings_model import DnsLabel, SettingsModel

LAST_NODE_PORT = 32767  # of Kubernetes' range, where nobody has set another


class Issuer(SettingsModel):
    """An issuer of cert-manager, of a CA that signs nothing but this cluster's nodes: whoever else it gives a
    certificate of the name kafka-node may do all.
    """

    name: DnsLabel
    """Its name."""
    kind: Literal["Issuer", "ClusterIssuer"] = "ClusterIssuer"
    """An `Issuer` stands in `kafka.namespace`."""


class External(SettingsModel):
    """How clients outside the Kubernetes cluster reach the brokers, each at an address of its own: by TLS and SCRAM, as
    those inside.
    """

    hosts: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]*\{id\}[a-z0-9-]*(\.[a-z0-9-]+){2,}$")]
    """Name of each broker, `{id}` for its number, such as `kafka-{id}.example.com`; a domain such as `lan` alone is
    refused, since OpenSSL takes no certificate of `*.lan`. You, or external-dns, have DNS say where that is; with
    NodePort, at any of the nodes.
    """
    service: Literal["LoadBalancer", "NodePort"] = "LoadBalancer"
    """Type of the Service that each broker gets."""
    node_port: Annotated[int, Field(ge=30000, le=LAST_NODE_PORT)] | None = None
    """With NodePort, the port of broker 0; that of each other is as much higher as its number."""
    annotations: dict[str, str] = Field(default_factory=dict)
    """Of the Services, `{id}` for the broker's number: what a cloud's load balancers, or external-dns, are told."""

    @model_validator(mode="after")
    def _has_its_port(self) -> "External":
        if (self.service == "NodePort") is (self.node_port is None):
            raise ValueError("nodePort goes with service: NodePort, which needs it, and with no other")
        return self

    def of(self, text: str, broker: int) -> str:
        """A text with the broker's number in it."""
        return text.replace("{id}", str(broker))

    def port(self, broker: int) -> int:
        """The port that clients see: each broker's own on all nodes, or the same at each load balancer."""
        return OUTSIDE.port if self.node_port is None else self.node_port + broker

    def address(self, broker: int) -> str:
        """Host and port of a broker as clients reach it."""
        return f"{self.of(self.hosts, broker)}:{self.port(broker)}"

    @property
    def wildcard(self) -> str:
        """What a certificate says to cover all of the hosts."""
        return f"*.{self.hosts.partition('.')[2]}"


class Security(SettingsModel):
    """`kafka.security`: TLS on every listener, certificates among the nodes, SCRAM for clients, and rights by ACLs:
    what none allows is refused (docs/security.md).
    """

    certificate_days: Annotated[int, Field(ge=1, le=825)] = 365
    """How many days a certificate of the nodes holds. `pulumi up` renews it in the last third of them, and rolls the
    nodes.
    """
    issuer: Issuer | None = None
    """Who signs the nodes' certificate; a CA of the program's own, whose key is in the stack's state, when unset."""
    external: External | None = None
    """A listener for clients outside the Kubernetes cluster; none when unset."""
    network_policy: bool = True
    """Whether NetworkPolicies keep all but Kafka's own pods from the listeners of brokers and controllers."""
