"""A command line that nothing reads: the word, the next step, and an exit code that is not that of findings."""

from __future__ import annotations

import pytest

from diptych.tasks import _function, _run
from diptych.tasks.plain import plain_arguments


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("doctor --nope a.whl", '`diptych doctor` has no option "--nope"'),
        ("doctor -q a.whl", '`diptych doctor` has no option "-q"'),
        ("doctor --slect=DIP1 a.whl", 'no option "--slect"; did you mean "--select"?'),
        ("doctor --log", "`diptych doctor`: --log needs a value"),
        ("plan --jsn", 'no option "--jsn"; did you mean "--json"?'),
        ("nope", "`diptych`: No idea what 'nope' is"),
    ],
)
def test_what_cannot_be_read(line: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        _run(["diptych", *line.split()])
    assert ended.value.code == 3
    shown = capsys.readouterr().err
    assert said in shown
    assert "`diptych" in shown.splitlines()[1]


@pytest.mark.parametrize("line", ["reproduce 3.13", "reproduce 3.13 --json", "why-rebuilt 3.13 --json"])
def test_one_word_is_a_list_too(line: str) -> None:
    task, *words = line.split()
    arguments = plain_arguments(_function(task), words)
    assert arguments is not None
    assert arguments["words"] == ["3.13"]
