"""What a compiler's C++ library will ask for, before anything is compiled.

The newest symbol version that GCC's libstdc++ can bring into a binary is known from its release (the libstdc++ manual,
"ABI Policy and Guidelines", lists them). Code that uses only older parts asks for less: the forecast is the worst case.
"""

from __future__ import annotations

from dataclasses import dataclass

from diptych.policy.gcc_releases import libstdcxx_releases, release_key
from diptych.policy.tables import Level, manylinux


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """The worst case for one GCC.

    Attributes:
        gcc: its version, as asked.
        symbol_version: the newest ``GLIBCXX_…`` of its libstdc++.
        abi_version: the newest ``CXXABI_…``.
        level: the lowest policy that admits both; None: no manylinux tag, if the newest symbols are used.
        known: False when the table ends before this GCC.
    """

    gcc: str
    symbol_version: str
    abi_version: str
    level: Level | None
    known: bool = True

    @property
    def sentence(self) -> str:
        """Say it to a person."""
        what = f"libstdc++ of gcc {self.gcc} goes up to {self.symbol_version} and {self.abi_version}"
        if not self.known:
            return f"gcc {self.gcc} is newer than the table; {what} at least, which no policy may admit"
        if self.level is None:
            return f"{what}: no manylinux policy admits that; code that uses the newest symbols gets no tag"
        return f"{what}: at worst {self.level}"


def forecast(gcc: str, *, machine: str = "x86_64") -> Forecast | None:
    """Return the worst case of compiling with a GCC; None for a version that is no number, or too old.

    Args:
        gcc: like ``13``, ``13.2`` or ``13.2.0``.
        machine: as in a tag.
    """
    wanted = tuple(int(part) for part in gcc.split(".")[:2] if part.isdigit())
    rows = libstdcxx_releases()
    fitting = [row for row in rows if release_key(row["gcc"]) <= _latest(wanted)]
    if not wanted or not fitting:
        return None
    row = fitting[-1]
    symbol_version, abi_version = f"GLIBCXX_{row['glibcxx']}", f"CXXABI_{row['cxxabi']}"
    levels = [manylinux().lowest(version, machine) for version in (symbol_version, abi_version)]
    known = wanted[0] <= release_key(rows[-1]["gcc"])[0]
    return Forecast(
        gcc=gcc,
        symbol_version=symbol_version,
        abi_version=abi_version,
        level=max(level for level in levels if level) if all(levels) and known else None,
        known=known,
    )


def _latest(wanted: tuple[int, ...]) -> tuple[int, ...]:
    """A bare major version stands for its newest release."""
    return wanted if len(wanted) > 1 else (*wanted, 99)
