"""The benchmark's own arithmetic: a figure that is wrong would pass for a fast program."""

import json
import re
import runpy
from collections import Counter
from typing import Any

import pytest

from components.kafka_cluster import KafkaCluster
from components.kafka_topic import KafkaTopic
from components.scripts.kwok_cluster import Kwok
from components.settings import read_settings
from components.zoned_cluster import ZonedCluster
from tests.bench.checkpoint import cluster_only, difference
from tests.bench.figures import Growth, Pairs, Rules, best, turns
from tests.bench.programs import SETTINGS
from tests.bench.report import Results, markdown
from tests.stack import ROOT
from tests.unit.mocks import Recorder, registered


def test_the_ratio_is_that_of_the_medians() -> None:
    pairs = Pairs("preview", components=(3.0, 9.0, 3.3), straight=(3.0, 2.0, 3.0))
    assert pairs.medians == (3.3, 3.0)
    assert pairs.ratio == pytest.approx(1.1)
    assert pairs.spread == (1.0, 4.5)
    assert pairs.missed is None, "one slow round decides nothing"


def test_a_missed_ratio_says_what_was_measured_and_what_is_allowed() -> None:
    pairs = Pairs("preview", components=(2.5,), straight=(2.0,))
    assert pairs.missed == "preview: 1.25 times the straight-line program; at most 1.2 is allowed"
    assert Pairs("imports", components=(2.5,), straight=(2.0,), bound=None).missed is None


def test_the_bound_itself_is_kept() -> None:
    assert Pairs("up", components=(1.2,), straight=(1.0,)).missed is None


@pytest.mark.parametrize(("components", "straight"), [((), ()), ((1.0,), ()), ((1.0,), (1.0, 2.0))])
def test_only_pairs_can_be_compared(components: tuple[float, ...], straight: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="as many of each are needed"):
        Pairs("up", components, straight)


def test_another_pair_is_told_by_its_name() -> None:
    pairs = Pairs("preview", (2.0,), (1.0,), 1.1, "one with an empty pack")
    assert pairs.missed == "preview: 2.00 times one with an empty pack; at most 1.1 is allowed"


@pytest.mark.parametrize(
    ("seconds", "memory", "says"),
    [
        ({5000: 1.5, 10_000: 3.0}, 150.0, None),
        ({5000: 1.6, 10_000: 3.2}, 150.0, "rules: 10000 resources take 3.20 s; at most 3.0 is allowed"),
        ({5000: 1.5, 10_000: 3.0}, 151.0, "rules: 10000 resources take 151 MiB; at most 150 is allowed"),
        ({5000: 0.5, 10_000: 2.0}, 9.0, "rules: the seconds grow with the 2.00th power of the resources; at most 1.2"),
    ],
)
def test_a_missed_bound_of_the_rules_is_told(seconds: dict[int, float], memory: float, says: str | None) -> None:
    missed = Rules(Growth(seconds), memory).missed
    assert missed is None if says is None else missed is not None and missed.startswith(says)


@pytest.mark.parametrize("power", [1, 2])
def test_growth_finds_the_power(power: int) -> None:
    growth = Growth({size: 0.001 * size**power for size in (25, 50, 100, 200)})
    assert growth.exponent == pytest.approx(power)
    assert growth.per_one_ratio == pytest.approx(8 ** (power - 1))
    assert (growth.missed is None) == (power == 1)


def test_growth_needs_two_sizes() -> None:
    with pytest.raises(ValueError, match="at least two sizes, got 1"):
        Growth({25: 1.0})


def test_each_program_comes_first_as_often_as_the_other() -> None:
    assert [turns(number)[0] for number in range(4)] == ["components", "straight", "components", "straight"]
    assert set(turns(0)) == set(turns(1)) == {"components", "straight"}


def test_the_best_is_the_lowest() -> None:
    assert best([0.3, 0.1, 0.2]) == 0.1


def resource(type_: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": type_, "urn": f"urn:pulumi:bench::kafka-ha::{type_}::{name}", **more}


CLUSTER = resource("command:local:Command", "cluster")
PROVIDER = resource("pulumi:providers:kubernetes", "kubernetes", dependencies=[CLUSTER["urn"]])
BROKERS = resource("kubernetes:apps/v1:StatefulSet", "brokers")
KAFKA = resource("kafka-ha:index:KafkaCluster", "kafka")
IMAGE = resource("pulumi-python:dynamic/kafka-ha:Image", "image")
TOPIC = resource("command:local:Command", "topic", dependencies=[BROKERS["urn"]])
CHILD = resource("command:local:Command", "child", parent=KAFKA["urn"])


def checkpoint(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"version": 3, "deployment": {"secrets_providers": {}, "resources": list(resources)}}


def test_what_stands_on_the_cluster_is_cut_and_what_needs_it_too() -> None:
    whole = checkpoint(CLUSTER, PROVIDER, KAFKA, IMAGE, BROKERS, CHILD, TOPIC)
    assert cluster_only(whole) == checkpoint(CLUSTER, PROVIDER)
    assert whole["deployment"]["resources"][-1] is TOPIC, "the given one is as it was"


def test_components_make_no_difference_and_resources_do() -> None:
    assert difference(checkpoint(KAFKA, BROKERS), checkpoint(BROKERS)) is None
    assert difference(checkpoint(KAFKA, BROKERS), checkpoint(CLUSTER)) == (
        "only the components make kubernetes:apps/v1:StatefulSet (1); "
        "only the straight-line program makes command:local:Command (1)"
    )


def results(ratio: float) -> Results:
    return Results(
        date="2026-01-02",
        machine="2 cores",
        versions="Python 3.11.4",
        command="make bench",
        pairs=(Pairs("preview", (ratio,), (1.0,)),),
        growth=Growth({50: 0.1, 100: 0.2}),
        brokers=10,
        pack=Pairs("preview with a policy pack", (2.0,), (1.9,), 1.1, "one with an empty pack"),
        rules=Rules(Growth({5000: 1.0, 10_000: 2.0}), 120.0),
    )


def test_the_page_has_the_figures_and_where_they_come_from() -> None:
    page = markdown(results(1.1))
    assert "| preview | 1 | 1.10 s | 1.00 s | 1.10 | 1.10 to 1.10 | 1.2 |" in page
    assert "| 100 | 0.200 s | 2.00 ms |" in page
    assert "| preview with a policy pack | 1 | 2.00 s | 1.90 s | 1.05 | 1.05 to 1.05 | 1.1 |" in page
    assert "| 10000 | 2.00 s | 0.20 ms |" in page
    for fact in ("`make bench`", "2026-01-02", "2 cores", "Python 3.11.4", "every bound is kept"):
        assert fact in page


def test_a_missed_bound_is_on_the_page_and_in_the_exit_code() -> None:
    missed = results(1.5)
    assert missed.missed == ["preview: 1.50 times the straight-line program; at most 1.2 is allowed"]
    assert missed.missed[0] in markdown(missed)


def components() -> None:
    """The program's own, with the benchmark's settings."""
    settings = read_settings(SETTINGS)
    kafka = KafkaCluster("kafka", settings.kafka, ZonedCluster("cluster", settings.cluster))
    for topic in settings.topics:
        KafkaTopic(topic.name, topic, kafka)


def straight() -> None:
    runpy.run_path(str(ROOT / "tests/bench/straight/__main__.py"))


def made(program: Any) -> dict[str, Any]:
    """The inputs of all Kubernetes objects that a program makes, by kind and name; ids and checksums left out. Of the
    commands what they run, of the other resources how many there are of each type.
    """
    found = registered(Recorder.installed(), program).values()
    objects: dict[str, Any] = {
        f"{one.typ} {one.inputs['metadata']['name']}": one.inputs for one in found if "metadata" in one.inputs
    }
    (cluster,) = [one.inputs["environment"] for one in found if "CLUSTER" in one.inputs.get("environment", ())]
    standing = json.loads(cluster["CLUSTER"])["options"]["objects"]
    objects |= {f"{one['kind']} {one['metadata']['name']}": one for one in standing}
    objects["commands"] = sorted(one.inputs["create"] for one in found if one.typ == "command:local:Command")
    objects["types"] = Counter(one.typ for one in found if not one.typ.startswith("kafka-ha:"))
    text = re.sub(r"\b[A-Za-z0-9_-]{22}\b(?=[\",])", "ID", json.dumps(objects))
    text = re.sub(r'("kafka-ha/config-checksum": )"\w+"', r'\1"CHECKSUM"', text)
    left: dict[str, Any] = json.loads(text)
    return left


def test_the_straight_line_program_makes_the_same_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(Kwok, "find", lambda self: None)
    ours, theirs = made(components), made(straight)
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert ours[name] == theirs[name], name
