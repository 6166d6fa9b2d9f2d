"""The command on manifests: what it prints, and its exit codes."""

import io
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from policies.check import SAFE, UNSAFE, UNUSABLE, main
from tests.policies.manifests import BASES, HERE, load


@pytest.fixture
def unsafe(tmp_path: Path) -> Path:
    case = load(HERE / "cases/min-isr/fail-official.yaml")
    path = tmp_path / "unsafe.yaml"
    path.write_text(yaml.safe_dump_all(case.documents))
    return path


def test_safe(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(BASES / "strimzi.yaml")]) == SAFE
    assert capsys.readouterr().out == "0 mandatory, 0 advisory\n"


def test_unsafe(unsafe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(unsafe)]) == UNSAFE
    out = capsys.readouterr().out
    assert (
        "mandatory: StatefulSet shop/kafka: spec.template.spec.containers[kafka].env[KAFKA_MIN_INSYNC_REPLICAS]" in out
    )
    assert "1 mandatory" in out


def test_json(unsafe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "--output", "json", str(unsafe)])
    entries = json.loads(capsys.readouterr().out)
    assert [(one["rule"], one["level"]) for one in entries if one["level"] == "mandatory"] == [("min-isr", "mandatory")]
    assert (entries[0]["file"], entries[0]["line"]) == (str(unsafe), _line_of("StatefulSet", unsafe))


def test_sarif(unsafe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "--output", "sarif", str(unsafe)])
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    errors = [one for one in run["results"] if one["level"] == "error"]
    assert [one["ruleId"] for one in errors] == ["min-isr"]
    assert {one["ruleId"] for one in run["results"]} <= {rule["id"] for rule in run["tool"]["driver"]["rules"]}


def test_sarif_is_what_code_scanning_asks_for(unsafe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What GitHub's page on SARIF calls required, and what keeps an alert the same where lines move."""
    main(["check", "--output", "sarif", str(unsafe)])
    first = json.loads(capsys.readouterr().out)
    assert first["version"] == "2.1.0"
    (run,) = first["runs"]
    assert run["tool"]["driver"]["name"]
    for rule in run["tool"]["driver"]["rules"]:
        assert all(rule[key]["text"] for key in ("shortDescription", "fullDescription", "help")), rule["id"]
    for one in run["results"]:
        assert one["message"]["text"]
        place = one["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == unsafe.as_uri()
        assert place["region"]["startLine"] > 0
    unsafe.write_text("# a line more\n" + unsafe.read_text())
    main(["check", "--output", "sarif", str(unsafe)])
    (again,) = json.loads(capsys.readouterr().out)["runs"]
    prints = [[one["partialFingerprints"] for one in each["results"]] for each in (run, again)]
    assert prints[0] == prints[1]
    assert len({one["primaryLocationLineHash"] for one in prints[0]}) == len(prints[0])


def test_sarif_says_where(unsafe: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """As code scanning needs it: a URI, relative where the file was named so, and a line."""
    (unsafe.parent / "a b").mkdir()
    unsafe = unsafe.rename(unsafe.parent / "a b" / "50%.yaml")
    monkeypatch.chdir(unsafe.parent.parent)
    main(["check", "--output", "sarif", "a b"])
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    places = [one["locations"][0]["physicalLocation"] for one in run["results"]]
    assert {place["artifactLocation"]["uri"] for place in places} == {"a%20b/50%25.yaml"}
    assert {place["region"]["startLine"] for place in places} == {_line_of("StatefulSet", unsafe)}


def _line_of(kind: str, path: Path) -> int:
    """The line that the document of a kind begins on."""
    before, _, _ = path.read_text().partition(f"kind: {kind}")
    return before.rpartition("---\n")[0].count("\n") + 2 if "---\n" in before else 1


def test_standard_input_folders_and_lists(
    unsafe: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    documents: list[Any] = list(yaml.safe_load_all(unsafe.read_text()))
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"kind": "List", "items": documents})))
    assert main(["check", "-"]) == UNSAFE
    assert main(["check", str(unsafe.parent)]) == UNSAFE


def test_lists_of_lists_and_lists_of_one_kind(unsafe: Path, tmp_path: Path) -> None:
    """The objects of a StatefulSetList, as the API server answers it, say no kind of their own."""
    documents: list[Any] = list(yaml.safe_load_all(unsafe.read_text()))
    bare = [{"metadata": one["metadata"], "spec": one["spec"]} for one in documents if one["kind"] == "StatefulSet"]
    inner = {"kind": "StatefulSetList", "apiVersion": "apps/v1", "items": bare}
    path = tmp_path / "list.json"
    path.write_text(json.dumps({"kind": "List", "items": [inner]}, indent="\t"))
    assert main(["check", str(path)]) == UNSAFE


@pytest.mark.parametrize("text", ["", "---\n# helm template failed\n", "- a\n"])
def test_no_objects_are_told(text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert main(["check", "-"]) == UNUSABLE
    assert "-: there are no Kubernetes objects" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("files", "code", "says"),
    [
        ({"dev/kafka.yaml": "2", "prod/kafka.yaml": "2"}, SAFE, "0 mandatory, "),
        ({"kafka-dev.yaml": "2", "kafka-prod.yaml": "2"}, SAFE, "0 mandatory, "),
        ({"dev/kafka.yaml": "1", "prod/kafka.yaml": "2"}, UNSAFE, "1 mandatory, "),
        ({"base/kafka.yaml": "2", "overlays/dev/a.yaml": "1", "overlays/prod/a.yaml": "1"}, UNSAFE, "2 mandatory, "),
    ],
)
def test_what_is_described_twice_is_judged_apart(
    files: dict[str, str], code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (BASES / "official.yaml").read_text()
    objects, _, storage = whole.rpartition("---\n")  # what all have in common
    (tmp_path / "storage.yaml").write_text(storage)
    for name, min_isr in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(objects.replace('MIN_INSYNC_REPLICAS, value: "2"', f'MIN_INSYNC_REPLICAS, value: "{min_isr}"'))
    assert main(["check", str(tmp_path), str(tmp_path / "storage.yaml")]) == code
    out = capsys.readouterr().out
    assert says in out
    assert "disruption-budget-overlap" not in out
    assert "undecided" not in out


def test_configuration(unsafe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "policy.json"
    config.write_text(json.dumps({"kafka": {"rules": {"min-isr": "advisory"}}}))
    assert main(["check", "--config", str(config), str(unsafe)]) == SAFE
    config.write_text(json.dumps({"kafka": {"rules": {"min-irs": "advisory"}}}))
    assert main(["check", "--config", str(config), str(unsafe)]) == UNUSABLE
    assert "there is no such rule" in capsys.readouterr().err


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{inner}'] * 10)}]\n" for inner, name in itertools.pairwise("abcdefghi")
)


@pytest.mark.parametrize("text", ["a: [", "\t- x", "{{ template }}: {", "\x00", BOMB, "[" * 5000])
def test_what_cannot_be_read_is_told(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    assert main(["check", str(path)]) == UNUSABLE
    said = capsys.readouterr().err
    assert "broken.yaml" in said
    assert said.count("\n") == 1


def test_a_missing_file_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "no-such.yaml"]) == UNUSABLE
    assert "no-such.yaml" in capsys.readouterr().err
