"""Decompression with bounded output: deflate, gzip, bzip2 and zstd, from pieces to pieces.

Each function takes packed pieces and yields inflated ones (some may be empty) of bounded size, tells a stream
that ends early from one that is whole, and turns the codec's own exceptions into a FormatError.
"""

from __future__ import annotations

from collections.abc import Iterator

from diptych.archives.limits import MIB, Guard

_PIECE = MIB
# A zstd block of 4 bytes can stand for 128 KiB of one byte: so 1 KiB at a time, at most 32 MiB come out.
_GZIP = 31  # zlib's word for "with a gzip header" (zlib.h, inflateInit2)
_CUT_OFF = "truncated: its compressed data is cut off"
_FOLLOWED = "damaged: something follows its compressed data"


def inflate(packed: Iterator[bytes], guard: Guard, member: str) -> Iterator[bytes]:
    """Inflate one raw deflate stream (RFC 1951), as zip members are.

    The caller counts what comes out: a zip announces the size.

    Raises:
        FormatError: damaged, cut off, or followed by something else.
    """
    import zlib  # noqa: PLC0415 -- not needed for listings

    codec = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for piece in packed:
            if codec.eof:
                raise guard.refuse(_FOLLOWED, member)
            yield codec.decompress(piece, _PIECE)
            while codec.unconsumed_tail:
                yield codec.decompress(codec.unconsumed_tail, _PIECE)
        while not codec.eof and (out := codec.decompress(b"", _PIECE)):
            yield out  # was still waiting inside, although all input is taken
    except zlib.error as error:
        raise guard.refuse(f"damaged: {error}", member) from error
    if codec.unused_data:
        raise guard.refuse(_FOLLOWED, member)
    if not codec.eof:
        raise guard.refuse(_CUT_OFF, member)


def unbzip2(packed: Iterator[bytes], guard: Guard) -> Iterator[bytes]:
    """Inflate bzip2 streams, one after the other as parallel compressors write them.

    Raises:
        FormatError: damaged, cut off, or a bomb.
    """
    import bz2  # noqa: PLC0415 -- only old conda packages need it

    taken = given = 0
    codec = bz2.BZ2Decompressor()
    for piece in packed:
        taken += len(piece)
        rest = piece
        while rest or not (codec.needs_input or codec.eof):
            if codec.eof:
                codec = bz2.BZ2Decompressor()
            try:
                out = codec.decompress(rest, _PIECE)
            except OSError as error:
                raise guard.refuse(f"damaged: {error}") from error
            rest = codec.unused_data if codec.eof else b""
            given += len(out)
            guard.check_total(taken, given)
            yield out
    if not codec.eof:
        raise guard.refuse(_CUT_OFF)


def ungzip(packed: Iterator[bytes], guard: Guard) -> Iterator[bytes]:
    """Inflate gzip members, one after the other (RFC 1952).

    Raises:
        FormatError: damaged, cut off, or a bomb.
    """
    import zlib  # noqa: PLC0415 -- as above

    taken = given = 0
    codec = zlib.decompressobj(_GZIP)
    for piece in packed:
        taken += len(piece)
        rest = piece
        while rest:
            if codec.eof:
                codec = zlib.decompressobj(_GZIP)
            try:
                out = codec.decompress(rest, _PIECE)
            except zlib.error as error:
                raise guard.refuse(f"damaged: {error}") from error
            rest = codec.unused_data if codec.eof else codec.unconsumed_tail
            given += len(out)
            guard.check_total(taken, given)
            yield out
    if not codec.eof:
        raise guard.refuse(_CUT_OFF)


def unzstd(packed: Iterator[bytes], guard: Guard, member: str) -> Iterator[bytes]:
    """Inflate zstd frames (RFC 8878), one after the other.

    Raises:
        FormatError: damaged, cut off, a bomb, or a window beyond the limit.
    """
    from diptych.zstd import zstd  # noqa: PLC0415 -- only .conda files need it

    options: dict[int, int] = {
        zstd.DecompressionParameter.window_log_max: guard.limits.max_window.bit_length() - 1
    }
    codec = zstd.ZstdDecompressor(options=options)
    taken = given = 0
    for piece in packed:
        taken += len(piece)
        rest = piece
        while rest or not (codec.needs_input or codec.eof):
            if codec.eof:
                codec = zstd.ZstdDecompressor(options=options)
            try:
                out = codec.decompress(rest, _PIECE)
            except zstd.ZstdError as error:
                raise guard.refuse(f"damaged: {error}", member) from error
            rest = codec.unused_data if codec.eof else b""
            given += len(out)
            guard.check_total(taken, given)
            yield out
    if not codec.eof:
        raise guard.refuse(_CUT_OFF, member)
