"""What the pack sets right where a team opts in: each remedy, on what the SDK hands to a policy."""

import copy
from datetime import date
from typing import Any

import pytest

from policies.configuration import parse
from policies.manifest import UNKNOWN
from policies.remedies import remedy
from tests.policies.manifests import base, rules, verdicts
from tests.policies.proxies import answered, args, secret, sent

NAMES = ("official", "confluent", "bitnami", "own")


TODAY = date(2026, 6, 1)


def remedied(one: dict[str, Any], given: dict[str, Any] | None = None) -> Any:
    """The properties that a remediation answers with, as they go to the engine; None for no change."""
    return answered(remedy(args(one, remediation=True), parse(given or {}), TODAY))


def of(documents: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next(one for one in documents if one["kind"] == kind)


def pod(one: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = one["spec"]["template"]["spec"]
    return found


def judged(documents: list[dict[str, Any]]) -> set[str]:
    """The rules that fail once every remedy is applied."""
    return rules(verdicts([remedied(one) or one for one in documents]))


@pytest.mark.parametrize("name", [*NAMES, "strimzi", "cfk", "redpanda"])
def test_what_is_right_is_left_alone(name: str) -> None:
    assert [remedied(one) for one in base(name)] == [None] * len(base(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_spread_is_added(name: str) -> None:
    documents = base(name)
    for one in documents:
        if one["kind"] == "StatefulSet":
            pod(one).pop("topologySpreadConstraints", None)
            pod(one).pop("affinity", None)
    assert {"zone-spread", "host-spread"} <= rules(verdicts(documents))
    assert not {"zone-spread", "host-spread"} & judged(documents)


def test_a_spread_that_anti_affinity_gives_is_not_doubled() -> None:
    one = of(base("official"), "StatefulSet")
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "kafka"}}}
    pod(one)["affinity"] = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    del pod(one)["topologySpreadConstraints"]
    (added,) = pod(remedied(one))["topologySpreadConstraints"]
    assert added["topologyKey"] == "topology.kubernetes.io/zone"
    assert added["labelSelector"] == {"matchLabels": {"app": "kafka"}}


def test_a_spread_that_somebody_wrote_is_left_alone() -> None:
    one = of(base("official"), "StatefulSet")
    pod(one)["topologySpreadConstraints"] = pod(one)["topologySpreadConstraints"][:1]
    assert remedied(one) is None, "what is written is refused, not changed"


@pytest.mark.parametrize("seconds", [None, 0, 30, 59])
def test_a_short_grace_period_is_raised(seconds: int | None) -> None:
    documents = base("official")
    one = of(documents, "StatefulSet")
    pod(one)["terminationGracePeriodSeconds"] = seconds
    assert "grace-period" in rules(verdicts(documents))
    assert pod(remedied(one))["terminationGracePeriodSeconds"] == 120
    assert "grace-period" not in judged(documents)


def test_it_is_set_right_as_it_is_configured() -> None:
    one = of(base("official"), "StatefulSet")
    del pod(one)["topologySpreadConstraints"]
    after = remedied(one, {"rules": {"zone-spread": {"key": "example.com/rack"}, "grace-period": {"minimum": 300}}})
    assert pod(after)["topologySpreadConstraints"][0]["topologyKey"] == "example.com/rack"
    assert pod(after)["terminationGracePeriodSeconds"] == 300


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({"rules": {"grace-period": "disabled"}}, False),
        ({"rules": {"grace-period": "advisory"}}, True),
        ({"exemptions": [{"namespace": "shop", "reason": "goes in June", "until": "2026-06-01"}]}, False),
        ({"exemptions": [{"namespace": "shop", "reason": "went in May", "until": "2026-05-31"}]}, True),
        ({"exemptions": [{"namespace": "store", "reason": "goes in June", "until": "2026-06-01"}]}, True),
    ],
)
def test_what_no_rule_asks_for_is_left_alone(given: dict[str, Any], changed: bool) -> None:
    one = of(base("official"), "StatefulSet")
    pod(one)["terminationGracePeriodSeconds"] = 30
    assert (remedied(one, given) is not None) is changed


@pytest.mark.parametrize("seconds", [60, 600, UNKNOWN])
def test_another_grace_period_is_left_alone(seconds: object) -> None:
    one = of(base("official"), "StatefulSet")
    pod(one)["terminationGracePeriodSeconds"] = seconds
    assert remedied(one) is None


def test_missing_addresses_before_readiness_are_added() -> None:
    documents = base("official")
    del of(documents, "Service")["spec"]["publishNotReadyAddresses"]
    assert "not-ready-addresses" in rules(verdicts(documents))
    assert "not-ready-addresses" not in judged(documents)


@pytest.mark.parametrize(
    "changes",
    [
        {"publishNotReadyAddresses": False},
        {"publishNotReadyAddresses": UNKNOWN},
        {"clusterIP": "10.0.0.1"},
        {"clusterIP": UNKNOWN},
        {"ports": [{"name": "client", "port": 9092}]},
        {"selector": UNKNOWN, "ports": UNKNOWN},
    ],
)
def test_another_service_is_left_alone(changes: dict[str, Any]) -> None:
    one = of(base("official"), "Service")
    one["spec"].pop("publishNotReadyAddresses")
    one["spec"] |= changes
    assert remedied(one) is None


def test_a_service_of_something_else_is_left_alone() -> None:
    one = of(base("official"), "Service")
    one["metadata"]["name"], one["spec"]["selector"] = "etcd", {"app": "etcd"}
    one["spec"].pop("publishNotReadyAddresses")
    assert remedied(one) is None


def test_what_is_no_broker_is_left_alone() -> None:
    one = of(base("official"), "StatefulSet")
    container = pod(one)["containers"][0]
    for key in ("env", "command", "args"):
        del container[key]
    container["image"] = "postgres:17"
    del pod(one)["topologySpreadConstraints"]
    assert remedied(one) is None


def test_the_rest_stays_as_it_is() -> None:
    one = of(base("official"), "StatefulSet")
    before = copy.deepcopy(one)
    del pod(one)["topologySpreadConstraints"]
    del pod(one)["terminationGracePeriodSeconds"]
    given = args(one, remediation=True)
    after = answered(remedy(given, parse({}), TODAY))
    assert pod(after).pop("topologySpreadConstraints")
    assert pod(after).pop("terminationGracePeriodSeconds") == 120
    for key in ("topologySpreadConstraints", "terminationGracePeriodSeconds"):
        del pod(before)[key]
    assert after == sent(before)
    assert "topologySpreadConstraints" not in given.props["spec"]["template"]["spec"], "the answer is a copy"


@pytest.mark.parametrize("depth", range(4))
def test_secrets_and_unknown_values_stay_what_they_are(depth: int) -> None:
    one = of(base("official"), "StatefulSet")
    pod(one)["terminationGracePeriodSeconds"] = 30
    pod(one)["containers"][0]["env"] += [{"name": "A", "value": UNKNOWN}, {"name": "B", "value": secret("hush")}]
    path = ("spec", "template", "spec", "terminationGracePeriodSeconds")[: depth + 1]
    holder: Any = one
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = secret(holder[path[-1]])
    expected: Any = sent(copy.deepcopy(one))
    holder = expected
    for key in path[:-1]:
        holder = holder[key]
    assert set(holder[path[-1]]) == set(secret(0)), "a secret goes in"
    after = remedied(one)
    holder = after
    for key in path[:-1]:
        holder = holder[key]
    assert set(holder[path[-1]]) == set(secret(0)), "and comes out"
    assert str(after).count("hush") == 1
    assert "120" in str(after)
    assert str(expected).replace("30.0", "") == str(after).replace("120", "")
