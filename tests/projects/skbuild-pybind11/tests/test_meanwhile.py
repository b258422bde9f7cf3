import subprocess
from importlib.resources import files

import meanwhile
import pytest


def test_mean() -> None:
    assert meanwhile.running_mean([1, 2, 3, 4], 2) == [1.5, 2.5, 3.5]


def test_width() -> None:
    with pytest.raises(ValueError, match="width"):
        meanwhile.running_mean([1.0], 0)


def test_data() -> None:
    values = [float(word) for word in (files("meanwhile") / "sample.txt").read_text().split()]
    assert meanwhile.running_mean(values, 4) == [2.5]


def test_entry_point() -> None:
    done = subprocess.run(["meanwhile", "2", "1", "3"], capture_output=True, text=True, check=True)
    assert done.stdout == "2.0\n"
