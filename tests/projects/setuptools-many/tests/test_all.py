import subprocess
from pathlib import Path

import _top
import alpha
import beta.inner._low
import single


def test_all(seven):
    assert _top.one() == beta.inner._low.one() == single.X
    assert alpha.main
    assert int((Path(__file__).parents[1] / "shared" / "n.txt").read_text()) == seven
    assert subprocess.run(["alpha-one"], capture_output=True, text=True, check=True).stdout == "1\n"
