"""The pack behind Pulumi's proxies: unknown values, secrets and wrong types never crash it, and it says of them what
the rules say of plain data.
"""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi_policy import PolicyResource, StackValidationArgs

from policies.configuration import Configuration
from policies.manifest import UNKNOWN, manifest
from policies.pack import policies
from policies.remedies import remedy
from policies.session import Session
from tests.policies import proxies
from tests.policies.manifests import CASES, base, changed, load
from tests.policies.test_fuzz import KINDS, NAMES, PLACES, SCALARS, TODAY, VALUES

SECRETS = st.one_of(SCALARS, VALUES).map(proxies.secret)


def through_the_pack(documents: list[dict[str, Any]]) -> list[str]:
    """Everything that the pack's policies tell, called as the SDK calls them: each resource, then the stack."""
    told: list[str] = []

    def report(message: str, urn: str | None = None) -> None:
        told.append(message)

    every: list[Any] = list(policies(Session(TODAY)))
    resource, advice, stack, stack_advice, _ = every
    resources = []
    for one in documents:
        given = proxies.args(one)
        for policy in (resource, advice):
            policy.validate(given, report)
        resources.append(
            PolicyResource(given.resource_type, given.props, given.urn, given.name, given.opts, None, None, [], {})
        )
    for policy in (stack, stack_advice):
        policy.validate(StackValidationArgs(resources, {}, {}), report)
    return told


def through_the_rules(documents: list[dict[str, Any]]) -> list[str]:
    """The same without Pulumi."""
    session = Session(TODAY)
    told = []
    for one in documents:
        given = proxies.args(one)
        plain = manifest(_plain(one), given.urn)
        session.show(given.urn, "", _named(plain, given.name))
        told += [message for _, message in session._waiting[given.urn]]
    return told + [message for _, message, _ in session.end([])]


def _named(one: Any, name: str) -> Any:
    return type(one)(one.group, one.kind, one.doc, one.subject, name)


def _plain(value: Any) -> Any:
    """As it is before it is sent, but for what sending loses: which values are secret, and how numbers are written."""
    if isinstance(value, dict):
        if set(value) == set(proxies.secret(0)):
            return _plain(value["value"])
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(float(value)) if float(value).is_integer() else float(value)
    return value


def drawn(name: str, data: st.DataObject, values: st.SearchStrategy[Any]) -> list[dict[str, Any]]:
    """A base, one place of which holds something else."""
    place = data.draw(st.sampled_from([one for one in PLACES[name] if len(one) > 1 and one[1:] != ("apiVersion",)]))
    return changed(name, place, data.draw(values))


@pytest.mark.parametrize("path", CASES[::7], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_pack_says_what_the_rules_say(path: Any) -> None:
    documents = load(path).documents
    assert sorted(through_the_pack(documents)) == sorted(through_the_rules(documents))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(NAMES), st.data())
def test_whatever_stands_in_a_place_the_pack_says_what_the_rules_say(name: str, data: st.DataObject) -> None:
    documents = drawn(name, data, VALUES | SECRETS)
    told = through_the_pack(documents)
    assert not [message for message in told if "(readable:" in message]
    assert sorted(told) == sorted(through_the_rules(documents))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(KINDS), VALUES | SECRETS, VALUES | SECRETS)
def test_arbitrary_resources_never_crash_the_pack(kind: tuple[str, str], metadata: Any, spec: Any) -> None:
    one = {"apiVersion": kind[0], "kind": kind[1], "metadata": metadata, "spec": spec}
    assert not [message for message in through_the_pack([one]) if "(readable:" in message]


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(NAMES), st.data())
def test_whatever_stands_in_a_place_no_remedy_crashes(name: str, data: st.DataObject) -> None:
    for one in drawn(name, data, VALUES | SECRETS):
        proxies.answered(remedy(proxies.args(one, remediation=True), Configuration(), TODAY))


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_resource_that_is_unknown_is_told(name: str) -> None:
    """Each object in turn has a spec that is computed: the cluster is undecided then, or refused, never passed."""
    usual = set(through_the_pack(base(name)))
    for index, whole in enumerate(base(name)):
        documents: list[dict[str, Any]] = base(name)
        for key in {"spec", "data"} & set(whole):
            documents[index][key] = UNKNOWN
            assert set(through_the_pack(documents)) - usual, whole["kind"]
