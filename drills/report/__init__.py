"""A drill as a page, and as machine-readable figures; and two drills side by side."""

import json
from pathlib import Path

from drills.checks import judge, overall
from drills.figures import figures
from drills.model import Outcome
from drills.record import load, save_findings
from drills.report.compare import Comparison, Side, compare, comparison_page, comparison_tables
from drills.report.page import drill_page

__all__ = ["PAGE", "SUMMARY", "compare_records", "comparison_tables", "write_report"]

PAGE, SUMMARY = "report.html", "summary.json"


def write_report(folder: Path) -> Outcome:
    """Judges the record in that folder, and writes `findings.json`, `summary.json` and `report.html` into it in place
    of earlier ones. Raises RecordError.
    """
    record = load(folder)
    measured, findings = figures(record), judge(record)
    save_findings(folder, findings)
    summary = {
        "format": 1,
        "outcome": overall(findings).value,
        "about": record.about.model_dump(mode="json"),
        "figures": measured.model_dump(mode="json"),
        "findings": [finding.model_dump(mode="json") for finding in findings],
    }
    (folder / SUMMARY).write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / PAGE).write_text(drill_page(record, measured, findings), encoding="utf-8")
    return overall(findings)


def compare_records(a: Path, b: Path, to: Path | None = None) -> Comparison:
    """The records of two folders, judged anew; `to` is where a page of them is written. `comparison_tables` shows the
    same in a terminal. Raises RecordError.
    """
    sides = [Side(record, figures(record), judge(record)) for record in (load(a), load(b))]
    compared = compare(*sides)
    if to is not None:
        to.write_text(comparison_page(compared), encoding="utf-8")
    return compared
