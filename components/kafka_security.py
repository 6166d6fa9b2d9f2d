"""Creates what a secured Kafka needs beside its nodes: their certificate, and policies for the network."""

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi import Output, ResourceOptions

from components import manifests
from components.kafka_plan import KafkaPlan
from components.listeners import NODE_NAME
from components.security_settings import Issuer, Security

_CERT_MANAGER = "cert-manager.io/v1"


class KafkaSecurity:
    """What there is of it; nothing without `kafka.security`."""

    authority: Output[str] | None = None
    """Certificate of the CA that clients must trust, where it is the program's own."""

    def __init__(self, name: str, plan: KafkaPlan, parent: pulumi.Resource, within: ResourceOptions) -> None:
        self.needed: list[pulumi.Resource] = []
        """What the nodes wait for."""
        self.annotations: dict[str, pulumi.Input[str]] = {}
        """Of the nodes' pods, which a renewed certificate rolls."""
        security = plan.settings.security
        if security is None:
            return
        if security.issuer:
            self.needed.append(_asked_of(security.issuer, security.certificate_days, name, plan, within))
        else:
            self.needed.append(self._own(name, plan, security, parent, within))
        if security.network_policy:
            self.needed.append(
                k8s.networking.v1.NetworkPolicy(f"{name}-network", **manifests.network_policy(plan), opts=within)
            )

    def _own(
        self, name: str, plan: KafkaPlan, security: Security, parent: pulumi.Resource, within: ResourceOptions
    ) -> pulumi.Resource:
        """The certificate by a CA of the program's own."""
        # Here: what it imports is a tenth of a second that other stacks save.
        from components.tls.resource import CertificateResource

        cluster = f"{plan.settings.namespace}/{plan.settings.name}"
        asked = {"cluster": cluster, "commonName": NODE_NAME, "hosts": _hosts(plan), "days": security.certificate_days}
        # With the nodes' protection: with the CA go all clients' trust.
        lasting = ResourceOptions(parent=parent, protect=plan.settings.protect or None)
        certificate = CertificateResource(f"{name}-certificate", asked, lasting)
        self.authority = certificate.authority
        self.annotations = {"kafka-ha/certificate": certificate.fingerprint}
        secret: pulumi.Resource = k8s.core.v1.Secret(
            f"{name}-tls",
            **manifests.tls_secret(plan),
            string_data={
                "tls.crt": certificate.certificate,
                "tls.key": certificate.key,
                "ca.crt": certificate.authority,
            },
            opts=within,
        )
        return secret


def _asked_of(issuer: Issuer, days: int, name: str, plan: KafkaPlan, within: ResourceOptions) -> pulumi.Resource:
    """The certificate by cert-manager, which renews it. Its Secret appears later: the pods wait for it."""
    certificate: pulumi.Resource = k8s.apiextensions.CustomResource(
        f"{name}-certificate",
        api_version=_CERT_MANAGER,
        kind="Certificate",
        **manifests.certificate(plan, issuer, days, _hosts(plan)),
        opts=within,
    )
    return certificate


def _hosts(plan: KafkaPlan) -> list[str]:
    outside = [plan.settings.external.wildcard] if plan.settings.external else []
    return [f"*.{plan.brokers.domain}", *outside, "localhost", "127.0.0.1"]


def switched(plan: KafkaPlan, objects: Sequence[dict[str, Any]]) -> list[str]:
    """Why the settings can't be deployed: they would switch security on or off. `objects` hold the StatefulSets that
    are there. Pure.

    While the nodes are rolled, those with one kind of listener could not speak with those of the other.
    """
    names = {nodes.name for nodes in plan.groups}
    for item in objects:
        if item["kind"] != "StatefulSet" or item["metadata"]["name"] not in names:
            continue
        volumes = item["spec"]["template"]["spec"].get("volumes", [])
        if manifests.is_secured(volumes) == plan.listeners.secured:
            continue
        given, there, way_out = (
            ("security", "has none", "Unset it") if plan.listeners.secured else ("nothing", "has it", "Set it to {}")
        )
        return [
            f"kafka-ha:kafka.security: got {given}, but this cluster {there}, and a running one is not switched: nodes "
            f"with and without it do not speak with each other. {way_out}, or make another cluster and move the topics "
            "to it. (docs/security.md)"
        ]
    return []
