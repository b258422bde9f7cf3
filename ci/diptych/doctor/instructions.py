"""Whether x86-64 code goes beyond the baseline, from two instructions that compilers do not leave out."""

from __future__ import annotations

from collections.abc import Collection

from diptych.binaries import Binary, Buffer

# Compilers end every function that used AVX registers with it (Intel SDM 2, VZEROUPPER; System V psABI).
_VZEROUPPER = b"\xc5\xf8\x77"
# Whoever chooses by processor must ask whether the system saves the registers (Intel SDM 1, 14.3).
_XGETBV = b"\x0f\x01\xd0"
_ASKING = frozenset(
    {"__cpu_model", "__cpu_indicator_init", "__cpu_features2", "__x86_get_cpuid_feature_leaf", "getauxval"}
)
_MOST = 16 << 20


def instructions(binary: Binary, data: Buffer, names: Collection[str]) -> tuple[bool | None, bool]:
    """Return whether code has AVX instructions (None: not looked at), and whether it asks what the processor has.

    Code of more than 16 MiB is not looked at: three bytes also occur by chance.

    Args:
        binary: its headers.
        data: the whole file.
        names: the symbols that it defines or wants.
    """
    if binary.machine != "x86_64" or binary.kind not in {"shared", "bundle"}:
        return None, False
    code = [
        (one.offset, one.size)
        for one in binary.sections
        if one.stored and one.name in {".text", "__TEXT,__text"}
    ]
    if not code or sum(size for _, size in code) > _MOST:
        return None, not _ASKING.isdisjoint(names)
    pieces = [bytes(data[binary.offset + at : binary.offset + at + size]) for at, size in code]
    asks = not _ASKING.isdisjoint(names) or any(_XGETBV in piece for piece in pieces)
    return any(_VZEROUPPER in piece for piece in pieces), asks
