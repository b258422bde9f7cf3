"""The command that a distribution's users type, from what os-release says."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych.distributions import Needed, how_to_install

UBUNTU = 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n'
ROCKY = 'NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\n'


@pytest.mark.parametrize(
    ("text", "what", "number", "command"),
    [
        ("ID=debian\n", "python headers", "", "apt install python3-dev"),
        (UBUNTU, "g++", "13", "apt install g++-13"),
        (ROCKY, "python headers", "", "dnf install python3-devel"),
        (ROCKY, "g++", "13", "dnf install gcc-c++"),
        ('ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', "g++", "", "zypper install gcc-c++"),
        ("ID=arch\n", "python headers", "", "pacman -S python"),
        ("ID=alpine\n", "clang++", "", "apk add clang"),
        ("ID=somethingelse\n", "g++", "", "apt install g++ or dnf install gcc-c++"),
    ],
)
def test_the_command_is_the_distribution_s(
    tmp_path: Path, text: str, what: Needed, number: str, command: str
) -> None:
    release = tmp_path / "os-release"
    release.write_text(text)
    assert how_to_install(what, number=number, release=release) == command


def test_without_os_release_both_large_families_are_told(tmp_path: Path) -> None:
    found = how_to_install("clang++", release=tmp_path / "absent")
    assert found == "apt install clang or dnf install clang"
