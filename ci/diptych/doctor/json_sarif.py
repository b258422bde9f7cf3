"""A report for programs: JSON of our own, and SARIF 2.1.0 (OASIS) for code-scanning pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from diptych import __version__
from diptych.doctor.examine import Report
from diptych.rules import Finding, Judged, Rule, Severity

SCHEMA = "diptych.doctor/1"
_SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.DRIFT: "warning", Severity.NOTE: "note"}


def to_json(report: Report) -> dict[str, Any]:
    """Return the report under a versioned schema: keys are only ever added to version 1."""
    found = {finding.code for finding in report.findings}
    return {
        "schema": SCHEMA,
        "version": __version__,
        "summary": {severity.value: report.count(severity) for severity in Severity},
        "rules": {
            rule.code: {"title": rule.title, "page": rule.page} for rule in report.rules if rule.code in found
        },
        "targets": [_target(one) for one in report.judged],
    }


def _target(judged: Judged) -> dict[str, Any]:
    evidence = judged.evidence
    return {
        "target": evidence.target,
        "kind": evidence.kind,
        "binaries": len(evidence.items),
        "findings": [_finding(one) for one in judged.findings],
        "skipped": judged.skipped,
        "unseen": list(judged.unseen),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "place": finding.place,
        "message": finding.message,
        "evidence": list(finding.evidence),
        "next": finding.next_step,
    }


def to_sarif(report: Report) -> dict[str, Any]:
    """Return the report as one SARIF run."""
    codes = [rule.code for rule in report.rules]
    return {
        "$schema": _SARIF,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "diptych doctor",
                        "version": __version__,
                        "rules": [_rule(rule) for rule in report.rules],
                    }
                },
                "results": [
                    _result(finding, judged, codes) for judged in report.judged for finding in judged.findings
                ],
            }
        ],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": f"{rule.what} {rule.why}"},
        "help": {"text": rule.mend},
        "helpUri": rule.page,
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"family": rule.family},
    }


def _result(finding: Finding, judged: Judged, codes: list[str]) -> dict[str, Any]:
    """The artefact is the location; the member inside is a logical location, for SARIF knows no archives."""
    logical = [{"fullyQualifiedName": finding.place, "kind": "module"}] if finding.place else []
    return {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": _LEVELS[finding.severity],
        "message": {"text": "\n".join((finding.message, *finding.evidence))},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": quote(judged.evidence.target)}},
                **({"logicalLocations": logical} if logical else {}),
            }
        ],
    }
