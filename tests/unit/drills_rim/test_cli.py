"""What a user sees of mistakes, and the exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import drills.__main__ as cli
from drills import runner
from drills.catalog import CATALOG
from drills.errors import DrillError, Refused
from drills.model import Finding, Outcome
from drills.runner import Cluster, Result
from tests.unit.drills_rim.cluster import TARGET, FakeKubernetes, FakeMachines

_LOCATION = "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"
USER = ["--context", "prod", "--allow-context", "prod"]


@pytest.fixture
def outcomes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """How each drill ends, by its name; one that passes when it is not named."""
    found: dict[str, Any] = {}
    asked: dict[str, Any] = {}

    def run(cluster: Any, scenario: Any, settings: Any, folder: Path, show: Any) -> Result:
        asked[scenario.name] = settings
        ending = found.get(scenario.name, Outcome.PASS)
        if isinstance(ending, Exception):
            raise ending
        finding = Finding(check="no acknowledged record is lost", outcome=ending, detail="")
        return Result(scenario, ending, (finding,), folder)

    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump({"contexts": [{"name": "prod"}]}))
    monkeypatch.setattr(_LOCATION, str(kubeconfig))
    monkeypatch.setattr(runner, "run", run)
    api: Any = FakeKubernetes()
    monkeypatch.setattr(cli, "_cluster", lambda place: Cluster(api, TARGET, FakeMachines()))
    found["asked"] = asked
    return found


def call(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, list(arguments))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, " ".join(result.output.split())


def test_list_names_every_drill_and_what_must_hold() -> None:
    code, out = call("list")
    assert code == 0
    for name in CATALOG:
        assert name in out
    assert "no acknowledged record is lost" in out
    assert "no partition waits longer than 1 s" in out


@pytest.mark.parametrize(
    ("endings", "code"),
    [
        ({}, 0),
        ({"kill-leader": Outcome.NOT_APPLICABLE}, 0),
        ({"kill-leader": Outcome.FAIL, "partition": Outcome.UNKNOWN}, 1),
        ({"kill-leader": Outcome.UNKNOWN}, 3),
        ({"kill-leader": Refused("a drill runs already")}, 2),
        ({"kill-leader": DrillError("the pod can't be placed")}, 3),
        ({"kill-leader": Refused("no"), "partition": Outcome.FAIL}, 1),
    ],
)
def test_exit_codes(outcomes: dict[str, Any], endings: dict[str, Any], code: int) -> None:
    outcomes.update(endings)
    assert call("run", "kill-leader", "partition", *USER)[0] == code
    assert set(outcomes["asked"]) == {"kill-leader", "partition"}, "one that fails does not stop the others"


def test_options_reach_the_drill(outcomes: dict[str, Any]) -> None:
    options = ["--rate", "50", "--hold", "3", "--expect", "longest-gap=6", "--topic-config", "min.insync.replicas=1"]
    assert call("run", "random", *USER, *options, "--seed", "5", "--rounds", "2", "--client", "default")[0] == 0
    settings = outcomes["asked"]["random"]
    assert settings.load.rate == 50
    assert settings.load.topic_config == {"min.insync.replicas": "1"}
    assert settings.load.properties == ""
    assert (settings.options.hold, settings.options.seed, settings.options.rounds) == (3, 5, 2)
    assert settings.expect == ("longest-gap=6",)


def test_the_stacks_client_settings_are_the_default(outcomes: dict[str, Any]) -> None:
    call("run", "random", *USER)
    assert outcomes["asked"]["random"].load.properties == TARGET.client_properties


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "drain-leadr", *USER], "Did you mean drain-leader?"),
        (["run", "drain-leader"], "name the Kafka: either --stack dev, or --context"),
        (["run", "drain-leader", "--stack", "dev", *USER], "name the Kafka: either --stack dev, or --context"),
        (["run", "drain-leader", "--context", "prod"], "--allow-context: got nothing, so prod is no drill target"),
        (["run", "drain-leader", "--context", "pord", "--allow-context", "pord"], "but the kubeconfig has prod"),
        (["run", "drain-leader", *USER, "--client", "mine"], "--client: got mine, but allowed are stack, default"),
        (["run", "drain-leader", *USER, "--expect", "no-losss"], "--expect: no-losss: there is no check no-losss"),
        (["run", "drain-leader", *USER, "--topic-config", "x"], "--topic-config: got x, but KEY=VALUE is needed"),
        (["run", "drain-leader", *USER, "--rate", "0"], "equal to 1"),
        (["run"], "Missing argument"),
        (["report", "/nowhere"], "is no record of a drill"),
        (["report", "--records", "/nowhere"], "there is no record in /nowhere yet"),
        (["report", "--compare", "/a", "/b"], "/a: is no record of a drill"),
        (["recover", "--broker", "7", "--context", "prod", "--dry-run"], "there is no node 7"),
    ],
)
def test_mistakes_are_told_in_a_sentence(outcomes: dict[str, Any], arguments: list[str], said: str) -> None:
    code, out = call(*arguments)
    assert code == 2
    assert said in out
    assert "Traceback" not in out
    assert not outcomes["asked"]


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "which can't be read"), ("{", "which can't be read"), (None, "but the kubeconfig has no context")],
)
def test_a_kubeconfig_that_is_none_is_told(
    outcomes: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None, said: str
) -> None:
    file = tmp_path / "other"
    if content is not None:
        file.write_text(content)
    monkeypatch.setattr(_LOCATION, str(file))
    code, out = call("run", "drain-leader", *USER)
    assert (code, said in out) == (2, True)


def test_recover_refuses_a_broker_that_is_well(outcomes: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    code, out = call("recover", "--broker", "1", "--context", "prod", "--dry-run")
    assert (code, "kafka-1 is ready: nothing is lost" in out) == (2, True)


def test_records_are_where_they_are_asked_for(outcomes: dict[str, Any], tmp_path: Path) -> None:
    code, out = call("run", "kill-leader", *USER, "--records", str(tmp_path))
    assert code == 0
    assert f"{tmp_path}/" in out.replace(" ", "")
    assert "-kill-leader/report.html" in out.replace(" ", "")
    assert json.dumps(str(tmp_path))
