"""What can be set of encryption, logins and rights."""

from typing import Annotated, Literal

from pydantic import Field

from components.settings_model import DnsLabel, SettingsModel


class Issuer(SettingsModel):
    """An issuer of cert-manager, of a CA that signs nothing but this cluster's nodes: whoever else it gives a
    certificate of the name kafka-node may do all.
    """

    name: DnsLabel
    """Its name."""
    kind: Literal["Issuer", "ClusterIssuer"] = "ClusterIssuer"
    """An `Issuer` stands in `kafka.namespace`."""


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
    network_policy: bool = True
    """Whether NetworkPolicies keep all but Kafka's own pods from the listeners of brokers and controllers."""
