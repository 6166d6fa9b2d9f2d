"""The exported policies on a real API server: what they refuse and admit, against the rules on the same objects."""

import argparse
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml

from policies.admission.command import selector
from policies.admission.objects import EXPORTED, TARGETS, Actions, Export, objects
from policies.check import SAFE, main
from policies.configuration import parse
from policies.manifest import UNKNOWN
from policies.reference import page
from policies.rules import RULES, Severity
from tests.kwok import KwokCluster
from tests.own import own_objects
from tests.policies.api_server import KINDS, Answer, Server, until
from tests.policies.manifests import BASES, CASES, HERE, base, load, rules, verdicts

# Cases of exported rules that no single object decides, and what else it takes.
NOT_ALONE = {
    "grace-period/fail-strimzi-absent-is-thirty": "the Kafka or its pools may set it",
    "headless-service/fail-official-has-an-address": "the Service",
    "headless-service/fail-official-other-pods": "the Service",
    "internal-topics/fail-bitnami-starts-from-kafkas-own-file": "the API server finds a fault of the case's own",
    "access-mode/fail-own-one-claim-for-all": "settings in a ConfigMap",
    "access-mode/fail-own-one-export-for-all": "settings in a ConfigMap",
    "grace-period/fail-strimzi-template-of-the-pool-hides-the-kafkas": "the Kafka or its pools may set it",
    "liveness-probe/fail-own-script-asks-the-cluster": "a script in a ConfigMap",
    "min-isr/fail-own-no-start-script-reads-the-variable": "settings in a ConfigMap",
    "persistent-storage/fail-own-log-of-the-quorum": "settings in a ConfigMap",
    "plaintext-outside/fail-official-a-port-by-name": "the Service",
    "replication-factor/fail-own-no-start-script-reads-the-variable": "settings in a ConfigMap",
    "unclean-election/fail-own-tag-begins-with-scala": "the version's default",
    "min-isr/fail-bitnami-absent-is-the-default": "settings in a ConfigMap",
    "min-isr-below-replication-factor/fail-own-offsets-below-the-clusters": "settings in a ConfigMap",
    "odd-voters/fail-confluent-dynamic-quorum-of-four": "the quorum's other sets",
    "odd-voters/fail-own-four": "settings in a ConfigMap",
    "odd-voters/fail-strimzi-four": "the other pools",
    "parallel-start/fail-own-ordered": "roles in a ConfigMap",
    "persistent-storage/fail-own-one-of-two": "settings in a ConfigMap",
    "plaintext-outside/fail-official-behind-a-load-balancer": "the Service",
    "replication-factor/fail-bitnami-file": "settings in a ConfigMap",
    "replication-factor/fail-from-a-config-map": "settings in a ConfigMap",
    "tls/fail-official": "exported for Strimzi alone",
    "unclean-election/fail-own-file": "settings in a ConfigMap",
    "voters/fail-strimzi-one": "the other pools",
    "zone-spread/fail-official-other-ordinals": "labels that each pod gets of its own",
    "zone-spread/fail-official-some-pods-by-index": "labels that each pod gets of its own",
    "zone-spread/fail-strimzi-counts-controllers-in": "the other pools",
}
STRICT = {rule.id for rule in RULES if rule.severity is Severity.ERROR}
OTHERS = [one for path in sorted((HERE / "others").glob("*.yaml")) for one in yaml.safe_load_all(path.read_text())]
DOCUMENTS = {f"{path.parent.name}/{path.stem}": load(path).documents for path in CASES}
DOCUMENTS |= {path.stem: base(path.stem) for path in sorted(BASES.glob("*.yaml"))}
FAILING = [f"{path.parent.name}/{path.stem}" for path in CASES if path.stem.startswith("fail")]
# What other operators' resources say is not exported.
FAILING = [
    name
    for name in FAILING
    if name.partition("/")[0] in EXPORTED and any((one["apiVersion"], one["kind"]) in KINDS for one in DOCUMENTS[name])
]


def _served(documents: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The objects of a kind that the server knows, without what is computed only when it is deployed."""
    for one in documents:
        if (one["apiVersion"], one["kind"]) in KINDS and repr(UNKNOWN) not in repr(one):
            yield one


def _whole(one: dict[str, Any]) -> dict[str, Any]:
    """An object of others/ with what the API server wants of every workload."""
    spec = {**one["spec"]}
    if one["apiVersion"] == "apps/v1":
        labels = {"app": one["metadata"]["name"]}
        spec["selector"] = {"matchLabels": labels}
        spec["template"] = {**spec["template"], "metadata": {"labels": labels}}
    if one["kind"] == "Job":
        spec["template"] = {"spec": {**spec["template"]["spec"], "restartPolicy": "Never"}}
    return {**one, "spec": spec}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of this module's own: policies hold for the whole cluster."""
    with KwokCluster.create(tmp_path_factory.mktemp("kwok")) as cluster:
        yield Server(cluster.kubeconfig, tmp_path_factory.mktemp("keys"))


def _answers(server: Server, export: Export) -> dict[str, list[Answer]]:
    server.install(export)
    # It refuses, or warns, some moments after the last binding is there.
    kinds = ("statefulset", "strimzi-kafka", "strimzi-pool", "strimzi-topic")
    wrong = ("grace-period/fail-own", "unclean-election/fail-strimzi", "claim-retention/fail-strimzi")
    for kind, name in zip(kinds, (*wrong, "replication-factor/fail-strimzi-topic"), strict=True):
        rule = name.partition("/")[0]
        wanted = export.actions is Actions.WARN

        def holds(name: str = name, rule: str = rule, wanted: bool = wanted) -> bool:
            found = [server.ask(one) for one in _served(DOCUMENTS[name])]
            return any(rule in (one.warned if wanted else one.refused) for one in found)

        until(holds, kind)
    return {name: [server.ask(one) for one in _served(held)] for name, held in DOCUMENTS.items()}


@pytest.fixture(scope="module")
def warned(server: Server) -> dict[str, list[Answer]]:
    """What the server says to every case and base where it only warns, of all rules at once."""
    return _answers(server, Export(actions=Actions.WARN))


@pytest.fixture(scope="module")
def enforced(server: Server, warned: dict[str, list[Answer]]) -> dict[str, list[Answer]]:
    """The same where it refuses."""
    return _answers(server, Export())


def test_types_are_right(server: Server, warned: dict[str, list[Answer]]) -> None:
    found = [one for one in objects(Export()) if one["kind"] == "ValidatingAdmissionPolicy"]
    assert found
    for one in found:
        assert server.status(one)["typeChecking"] == {}, one["metadata"]["name"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_is_told_that_the_rules_do_not_say(name: str, warned: dict[str, list[Answer]]) -> None:
    assert [text for one in warned[name] for text in one.broken] == []
    assert {rule for one in warned[name] for rule in one.warned} <= rules(verdicts(DOCUMENTS[name]))


@pytest.mark.parametrize("name", FAILING)
def test_what_fails_is_told(name: str, warned: dict[str, list[Answer]]) -> None:
    rule = name.partition("/")[0]
    told = {rule for one in warned[name] for rule in one.warned}
    assert (rule in told) is (name not in NOT_ALONE), NOT_ALONE.get(name)


@pytest.mark.parametrize("name", [one for one in FAILING if one not in NOT_ALONE and one.partition("/")[0] in STRICT])
def test_what_fails_is_refused(name: str, enforced: dict[str, list[Answer]]) -> None:
    rule = name.partition("/")[0]
    (told,) = [one for one in enforced[name] if one.refused]
    (remedy,) = [one.remedy for one in RULES if one.id == rule]
    assert told.status == httpx.codes.UNPROCESSABLE_ENTITY
    assert told.refused <= {rule} | load(HERE / f"cases/{name}.yaml").also
    assert told.refused != {rule} or remedy in told.text


@pytest.mark.parametrize("name", [one for one in DOCUMENTS if "/fail" not in one])
def test_what_passes_is_admitted(name: str, enforced: dict[str, list[Answer]]) -> None:
    failed = rules(verdicts(DOCUMENTS[name]))  # a case may fail for another rule than its own
    for one in enforced[name]:
        assert one.refused <= failed
        assert one.broken == []


@pytest.mark.parametrize(
    "other",
    [one for one in OTHERS if (one["apiVersion"], one["kind"]) in KINDS],
    ids=lambda one: f"{one['kind']}/{one['metadata']['name']}",
)
def test_others_are_admitted(other: dict[str, Any], server: Server, enforced: dict[str, list[Answer]]) -> None:
    answer = server.ask(_whole(other))
    assert (answer.status, answer.text, answer.warnings) == (httpx.codes.CREATED, "", ())


def test_the_programs_own_sets_are_admitted(server: Server, enforced: dict[str, list[Answer]]) -> None:
    for own in own_objects(dedicatedControllers={}):
        if own["kind"] == "StatefulSet":
            answer = server.ask(own)
            assert (answer.status, answer.text) == (httpx.codes.CREATED, "")


def test_a_large_workload_is_admitted(server: Server, enforced: dict[str, list[Answer]]) -> None:
    """What costs too much to evaluate would be refused."""
    env = [{"name": f"KAFKA_SETTING_{index}", "value": "x" * 100} for index in range(100)]
    one = {"image": "registry.example.com/shop:1", "args": ["kafka " * 1000], "env": env}
    containers = [{"name": f"shop-{index}", **one} for index in range(10)]
    shop = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "large", "namespace": "shop"}}
    answer = server.ask(_whole({**shop, "spec": {"template": {"spec": {"containers": containers}}}}))
    assert (answer.status, answer.text) == (httpx.codes.CREATED, "")


def test_every_check_is_of_a_rule() -> None:
    known = {rule.id for rule in RULES}
    for target in TARGETS:
        ids = [one.rule for one in target.checks]
        assert set(ids) <= known
        assert len(ids) == len(set(ids))


def test_not_alone_is_of_cases() -> None:
    assert set(NOT_ALONE) <= set(FAILING)


def test_the_page_lists_what_is_exported() -> None:
    _, _, section = page().partition("## In the API server")
    assert [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| ")][1:] == [
        f"| {rule}" for rule in EXPORTED
    ]


def _spec(found: list[dict[str, Any]], name: str, kind: str = "ValidatingAdmissionPolicy") -> dict[str, Any]:
    (spec,) = [one["spec"] for one in found if one["metadata"]["name"] == name and one["kind"] == kind]
    assert isinstance(spec, dict)
    return spec


def test_the_configuration_holds() -> None:
    given = {"production": True, "rules": {"grace-period": {"minimum": 90}, "zone-spread": "disabled"}}
    found = list(objects(Export(parse(given))))
    assert not [one for one in found if one["metadata"]["name"].endswith("-advice")]
    texts = {one["message"].partition(":")[0]: one for one in _spec(found, "kafka-ha-statefulset")["validations"]}
    assert "90" in texts["grace-period"]["expression"]
    assert "at least 90 seconds are needed" in texts["grace-period"]["message"]
    assert "non-root" in texts
    assert "zone-spread" not in texts


@pytest.mark.parametrize(("flag", "actions"), [("--enforce", ["Deny"]), ("--audit", ["Audit"])])
def test_the_command(flag: str, actions: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", flag, "--namespace-selector", "stage=prod,team in (a, b),!lab"]) == SAFE
    found = list(yaml.safe_load_all(capsys.readouterr().out))
    binding = _spec(found, "kafka-ha-statefulset", "ValidatingAdmissionPolicyBinding")
    assert binding["validationActions"] == actions
    assert binding["matchResources"]["namespaceSelector"]["matchExpressions"] == [
        {"key": "stage", "operator": "In", "values": ["prod"]},
        {"key": "team", "operator": "In", "values": ["a", "b"]},
        {"key": "lab", "operator": "DoesNotExist"},
    ]


@pytest.mark.parametrize("text", ["", "a=b c", "=a", "a in", "a in (b", "!"])
def test_a_selector_that_is_none(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="it must be of"):
        selector(text)
