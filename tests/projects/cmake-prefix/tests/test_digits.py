import subprocess

from quaternary import digits


def test_digits() -> None:
    assert digits(0) == "0"
    assert digits(27) == "123"


def test_the_program_prints_them() -> None:
    done = subprocess.run(["quaternary-digits", "27"], check=True, capture_output=True, text=True)
    assert done.stdout == "123\n"
