"""Choosing rules, their words, and the page that is made of them."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest
from invoke.context import Context

import diptych.rules
from diptych.errors import ConfigError
from diptych.rules import Evidence, Rule, Severity, all_rules, choose, judge, rule_named
from diptych.rules.generate import page
from diptych.rules.model import FAMILIES, REGISTRY
from diptych.rules.registry import GROUPS
from diptych.tasks.explain import explain


def codes(rules: tuple[Rule, ...]) -> list[str]:
    return [rule.code for rule in rules]


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_every_rule_has_its_five_parts(rule: Rule) -> None:
    assert re.fullmatch(r"DIP\d{3}", rule.code)
    for part in (rule.title, rule.what, rule.why, rule.mend, rule.not_seen, rule.source):
        assert part
        assert "Why:" not in part
        assert "Mend:" not in part
    assert rule.what.endswith(".")
    assert rule.source.endswith(".")


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_every_rule_is_explained(rule: Rule, capsys: pytest.CaptureFixture[str]) -> None:
    explain(Context(), words=[rule.code])
    said = " ".join(capsys.readouterr().out.split())
    for part in (rule.title, rule.what, rule.why, rule.mend, rule.not_seen, rule.source):
        assert part in said


def test_a_rule_of_a_comparison_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    explain(Context(), words=["DIP801"])
    assert "How to mend" in capsys.readouterr().out


def test_families_are_complete() -> None:
    assert {rule.code[3] for rule in all_rules()} == set(FAMILIES)


def test_every_module_of_rules_is_registered() -> None:
    groups = {module.__name__ for module in GROUPS}
    for found in pkgutil.iter_modules(diptych.rules.__path__, "diptych.rules."):
        importlib.import_module(found.name)
    assert {rule.check.__module__ for rule in REGISTRY.values()} == groups


def test_page_is_what_the_rules_say(repository: Path) -> None:
    written = (repository / "docs" / "reference" / "rules.md").read_text(encoding="utf-8")
    assert written == page(all_rules()), "run: python -m diptych.rules.generate"


def test_choosing() -> None:
    assert codes(choose(all_rules())) == codes(all_rules())
    assert codes(choose(all_rules(), select=["DIP101"])) == ["DIP101"]
    assert codes(choose(all_rules(), select=["dip10"])) == [f"DIP10{n}" for n in range(1, 10)]
    assert codes(choose(all_rules(), select=["DIP101,DIP102"], ignore=["DIP102"])) == ["DIP101"]
    assert "DIP101" not in codes(choose(all_rules(), ignore=["DIP1"]))


@pytest.mark.parametrize("word", ["DIP999", "libpython", "", "DIP101,,DIP102", "DIP1011"])
def test_unknown_code_is_an_error(word: str) -> None:
    with pytest.raises(ConfigError):
        choose(all_rules(), ignore=[word])


def test_nearest_code_is_named() -> None:
    with pytest.raises(ConfigError, match='did you mean "DIP101"'):
        rule_named("DPI101")


def test_rules_that_cannot_look_say_why() -> None:
    judged = judge(Evidence(target="empty", kind="folder"), all_rules())
    assert judged.findings == ()
    assert judged.skipped["DIP601"] == "no Mach-O file here"
    assert judged.skipped["DIP104"] == "not a wheel"


def test_severities_are_ordered() -> None:
    assert [one.rank for one in (Severity.ERROR, Severity.DRIFT, Severity.NOTE)] == [0, 1, 2]
