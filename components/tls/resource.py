"""The nodes' certificate as a resource: made with its CA, renewed by the deployments in the last third of its time.

Its keys are secrets of the stack's state. The CA stays as long as the resource: clients trust it.
"""

from datetime import UTC, datetime
from typing import Any

import pulumi
from pulumi import Output, ResourceOptions
from pulumi.dynamic import CreateResult, DiffResult, ResourceProvider, UpdateResult

from components.own_resource import OwnResource
from components.tls.authority import Pair, fingerprint, is_due, issue, new_authority

_INPUTS = ("commonName", "hosts", "days")
_SECRETS = ["key", "authorityKey"]


class CertificateProvider(ResourceProvider):
    """Inputs: `cluster`, which names the CA, `commonName`, `hosts` and `days`."""

    serialize_as_secret_always = False  # nothing is captured but the name of the class

    def diff(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Time is a change, too."""
        changed = any(olds.get(name) != news.get(name) for name in _INPUTS)
        return DiffResult(changed or is_due(olds["certificate"], _now()))

    def create(self, props: dict[str, Any]) -> CreateResult:
        """A CA and a certificate."""
        return CreateResult(props["cluster"], _issued(new_authority(f"{props['cluster']} CA", _now()), props))

    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """A new certificate of the same CA."""
        return UpdateResult(_issued(Pair(olds["authority"], olds["authorityKey"]), news))


def _issued(authority: Pair, props: dict[str, Any]) -> dict[str, Any]:
    pair = issue(authority, props["commonName"], props["hosts"], int(props["days"]), _now())
    return {
        "cluster": props["cluster"],
        **{name: props[name] for name in _INPUTS},
        "authority": authority.certificate,
        "authorityKey": authority.key,
        "certificate": pair.certificate,
        "key": pair.key,
        "fingerprint": fingerprint(pair.certificate),
    }


def _now() -> datetime:
    return datetime.now(UTC)


class CertificateResource(OwnResource, name="Certificate", provider=CertificateProvider):
    """A certificate, its key, and the CA that signed it."""

    authority: Output[str]
    certificate: Output[str]
    key: Output[str]
    fingerprint: Output[str]

    def __init__(self, name: str, props: pulumi.Inputs, opts: ResourceOptions | None = None) -> None:
        outputs = dict.fromkeys(("authority", "authorityKey", "certificate", "key", "fingerprint"))
        secret = ResourceOptions(additional_secret_outputs=_SECRETS)
        super().__init__(name, {**props, **outputs}, ResourceOptions.merge(opts, secret))
