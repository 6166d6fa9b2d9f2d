"""Runs promtool, which judges rules and queries as Prometheus does."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.observability.alerts import rule_groups
from tests.alerts.cluster import PLAN
from tests.alerts.series import INTERVAL, Series, promtool_series


@dataclass(frozen=True)
class Replay:
    """Series as they were recorded, held at their last values for `minutes`; `more` are promtool's own."""

    series: Series
    minutes: int
    more: Sequence[dict[str, str]] = ()
    interval: int = INTERVAL
    queries: list[dict[str, Any]] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def end(self) -> str:
        return f"{self.minutes}m"

    def expect(self, expr: str, samples: list[dict[str, Any]]) -> None:
        """At the end."""
        self.queries.append({"expr": expr, "eval_time": self.end, "exp_samples": samples})

    def expect_alert(self, name: str, alerts: list[dict[str, Any]]) -> None:
        """At the end."""
        self.alerts.append({"alertname": name, "eval_time": self.end, "exp_alerts": alerts})

    def run(self, folder: Path) -> None:
        """Fails with promtool's words."""
        program = shutil.which("promtool")
        if program is None:
            pytest.skip('no promtool: `make setup STACK=test` gets it, and `eval "$(make -s env)"` puts it on PATH')
        (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": rule_groups(PLAN)}))
        held = self.minutes * 60 // self.interval
        test = {
            "interval": f"{self.interval}s",
            "input_series": [*promtool_series(self.series, held), *self.more],
            "promql_expr_test": self.queries,
            "alert_rule_test": self.alerts,
        }
        whole = {"rule_files": ["rules.yaml"], "evaluation_interval": f"{max(self.interval, 15)}s", "tests": [test]}
        (folder / "test.yaml").write_text(yaml.safe_dump(whole))
        done = subprocess.run(
            [program, "test", "rules", "test.yaml"], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
