"""The comparisons as one JSON document; ``schema.json`` beside this file says what is in it.

The document is for other programs and for the page: everything that a person could ask about a cell is there once,
long lists are cut where they say so, and hashes are shortened to sixteen digits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import resources
from typing import Any

from diptych import __version__
from diptych.compare.across import Across, look_across
from diptych.compare.binary import SideBinary
from diptych.compare.cell import Comparison
from diptych.compare.dependencies import DependencyRow, Need
from diptych.compare.explain import explanation_of
from diptych.compare.graph import graph_of
from diptych.compare.model import REGISTRY, Severity
from diptych.compare.pairing import BinaryPair, CodeRow, FilePair
from diptych.compare.rules_code import load_changes
from diptych.compare.rules_linkage import highest, stated_floor
from diptych.compare.side import Side
from diptych.compare.traits import compiler_of, python_of

SCHEMA_VERSION = 2
_DIGITS = 16
_MOST_SYMBOLS = 50


def document_of(
    comparisons: Sequence[Comparison], *, project: str = "", missing: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the document of one or more comparisons.

    Args:
        comparisons: of the cells, or of any two packages.
        project: its name.
        missing: cells of the matrix that are not built.
    """
    matrix = len(comparisons) > 1
    codes = sorted({one.code for comparison in comparisons for one in comparison.findings})
    return {
        "schema": SCHEMA_VERSION,
        "diptych": __version__,
        "project": project,
        "verdict": worst(comparisons),
        "missing": list(missing),
        "rules": {code: rule_document(code) for code in codes},
        "cells": [cell_document(one) for one in comparisons],
        "across": _across(look_across(comparisons)) if matrix else None,
    }


def worst(comparisons: Sequence[Comparison]) -> str:
    """Return the worst verdict of all."""
    order = ("different", "drift", "equal")
    return min((one.verdict for one in comparisons), key=order.index, default="equal")


def schema_text() -> str:
    """Return the JSON schema of the document, as published."""
    return resources.files("diptych.report").joinpath("schema.json").read_text(encoding="utf-8")


def schema() -> dict[str, Any]:
    """Return the JSON schema of the document."""
    found: dict[str, Any] = json.loads(schema_text())
    return found


def rule_document(code: str) -> dict[str, str]:
    """Return a rule's words."""
    rule = REGISTRY[code]
    return {
        "title": rule.title,
        "severity": rule.severity.value,
        "what": rule.what,
        "why": rule.why,
        "mend": rule.mend,
        "source": rule.source,
        "page": rule.page,
    }


def cell_document(one: Comparison) -> dict[str, Any]:
    """Return what is known of one cell."""
    pair = one.pair
    facts = one.facts
    return {
        "cell": one.cell,
        "python": python_of(one) if facts else pair.left.identity.python,
        "compiler": compiler_of(one) if facts else "",
        "verdict": one.verdict,
        "one_build": pair.one_build,
        "staged": pair.stage is not None,
        "counts": {severity.value: one.count(severity) for severity in Severity},
        "waived": sum(bool(found.waived) for found in one.findings),
        "code": {"equal": sum(row.equal for row in one.code), "sections": len(one.code)},
        "left": _side(pair.left),
        "right": _side(pair.right),
        "findings": [
            {**asdict(found), "severity": found.severity.value, "evidence": list(found.evidence)}
            for found in one.findings
        ],
        "files": [_file(row, one) for row in pair.files],
        "binaries": [_binary_pair(row, one.code) for row in pair.binaries],
        "libraries": [
            {
                "stem": row.stem,
                "left": asdict(row.left) if row.left else None,
                "right": asdict(row.right) if row.right else None,
                "disagreement": row.disagreement,
            }
            for row in one.libraries
        ],
        "dependencies": [_dependency(row) for row in one.dependencies],
        "graph": {"left": asdict(graph_of(pair.left, one)), "right": asdict(graph_of(pair.right, one))},
        "build": _build(facts),
        "cost": facts.get("cost"),
    }


def _side(side: Side) -> dict[str, Any]:
    identity = side.identity
    return {
        "title": side.title,
        "kind": side.kind,
        "name": identity.name,
        "version": identity.version,
        "summary": identity.summary,
        "licence": identity.licence,
        "urls": dict(identity.urls),
        "python": identity.python,
        "requires_python": identity.requires_python,
        "platform": identity.platform,
        "entry_points": dict(identity.entry_points),
        "depends": list(identity.depends),
        "download": side.size,
        "installed": side.installed,
        "copies": side.private,
        "files": len(side.files),
        "libraries": len(side.binaries),
        "oldest": {
            family: version for family in ("GLIBC", "GLIBCXX", "macOS") if (version := highest(side, family))
        },
        "stated": stated_floor(side) or "",
        "bundled": [one.name for one in side.grafted],
    }


def _file(row: FilePair, one: Comparison) -> dict[str, Any]:
    return {
        "place": row.place,
        "role": row.role,
        "state": row.state.value,
        "left": row.left.size if row.left else None,
        "right": row.right.size if row.right else None,
        "rule": explanation_of(row, one),
    }


def _binary_pair(row: BinaryPair, code: Sequence[CodeRow]) -> dict[str, Any]:
    mine = [one for one in code if one.binary == row.place]
    return {
        "place": row.place,
        "left": _binary(row.left),
        "right": _binary(row.right),
        "code": [{"section": one.section, "equal": one.equal, "hashes": _hashes(one)} for one in mine],
        "relinked": list(load_changes(row)),
        "symbols": {
            "exported": _names(row.left.exported, row.right.exported),
            "needed": _names(row.left.wanted, row.right.wanted),
        },
    }


def _hashes(row: CodeRow) -> list[str | None]:
    """Return one hash where all are equal, else left, right and stage."""
    found = [row.left] if row.equal else [row.left, row.right, *([row.stage] if row.staged else [])]
    return [digest[:_DIGITS] if digest else None for digest in found]


def _binary(binary: SideBinary) -> dict[str, Any]:
    return {
        "machine": binary.machine,
        "soname": binary.soname,
        "needed": list(binary.needed),
        "rpath": list(binary.rpath),
        "rpath_kind": binary.rpath_kind,
        "size": binary.size,
        "floors": dict(binary.floors),
        "compilers": list(binary.compilers),
        "hardening": {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(binary.hardening).items()
        },
        "debug": binary.debug,
    }


def _names(left: frozenset[str], right: frozenset[str]) -> dict[str, Any]:
    only = sorted(left - right), sorted(right - left)
    return {
        "left": len(left),
        "right": len(right),
        "only_left": only[0][:_MOST_SYMBOLS],
        "only_right": only[1][:_MOST_SYMBOLS],
        "cut": max(map(len, only)) > _MOST_SYMBOLS,
    }


def _dependency(row: DependencyRow) -> dict[str, Any]:
    def side(need: Need | None) -> dict[str, Any] | None:
        return {"name": need.name, "range": str(need.bounds), "texts": list(need.texts)} if need else None

    return {
        "project": row.project,
        "left": side(row.left),
        "right": side(row.right),
        "relation": row.relation.value if row.relation else None,
        "runtime": row.runtime,
    }


def _build(facts: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what is worth showing of the provenance."""
    if not facts:
        return None
    compiler = facts.get("compiler", {})
    return {
        "compiler": " ".join(str(compiler[name]) for name in ("family", "version") if name in compiler),
        "tests": facts.get("tests", {}).get("in source"),
        "test_seconds": facts.get("tests", {}).get("seconds"),
        "build_seconds": facts.get("times", {}).get("seconds"),
        "fallback": str(facts.get("fallback", "")),
        "stage": str(facts.get("inputs", {}).get("stage", "")),
    }


def _across(found: Across) -> dict[str, Any]:
    return {
        "oddities": [
            {**asdict(one), "values": [[name, list(cells)] for name, cells in one.values.items()]}
            for one in found.oddities
        ],
        "groups": [asdict(one) for one in found.groups],
        "repeats": [asdict(one) for one in found.repeats],
    }
