"""A test run under a sanitizer: what its process gets, and what the reports say, test by test."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from diptych.sanitizers import NAMES, Sanitizer, preload_word

REPORTS = "DIPTYCH_SANITIZER_REPORTS"
RUNTIME = "DIPTYCH_SANITIZER_RUNTIME"
"""What each interpreter of the test run, and nothing else, starts with."""
PLUGIN = "diptych_test_marks"
"""The plugin of pytest in the recorder's folder that marks which test runs."""

# Of CPython itself nothing is to be told: it leaks on purpose at its end, and no sanitizer has seen its code.
_OPTIONS: dict[str, tuple[str, ...]] = {
    "asan": ("detect_leaks=0", "allocator_may_return_null=1"),
    "ubsan": ("print_stacktrace=1", "report_error_type=1"),
    "tsan": ("ignore_noninstrumented_modules=1",),
}
_HEAD = re.compile(
    r"^(?:==\d+==)?(?:(?:ERROR|WARNING|FATAL): )?(\w+Sanitizer): (?!reported )([^\n]*)$", re.MULTILINE
)
_UNDEFINED = re.compile(r"^(\S[^\n]*?):(\d+):(?:\d+:)? runtime error: ([^\n]*)$", re.MULTILINE)
_SUMMARY = re.compile(r"^SUMMARY: UndefinedBehaviorSanitizer: (\S+)", re.MULTILINE)
_FRAME = re.compile(
    r"^\s+#\d+ (?:0x[0-9a-f]+ in )?(.+?) (/[^\n]*?|[^\s:]+):(\d+)(?::\d+)?(?: |$)", re.MULTILINE
)
_KIND = re.compile(r" on (?:unknown )?address .*| \(pid=\d+\).*|:? \(?0x[0-9a-f].*")
_NAMED = ("/source/", "/build/")
"""What the build calls the project's folders (-ffile-prefix-map)."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One fault that a sanitizer has found.

    Attributes:
        sanitizer: as it calls itself.
        kind: what it calls the fault, such as ``heap-buffer-overflow``.
        message: the first line of its report.
        file: the source, relative to the project; as it is known where it lies elsewhere; empty when that is not known.
        line: in it; 0 when that is not known.
        function: the function there; empty when that is not known.
        test: pytest's id of the test that ran; empty outside of any.
    """

    sanitizer: str
    kind: str
    message: str
    file: str
    line: int
    function: str
    test: str

    def describe(self) -> str:
        """Return all of it on one line."""
        where = f" at {self.file}:{self.line}" if self.file else ""
        what = self.message if self.sanitizer == NAMES["ubsan"] else self.kind
        return f"{self.test or 'outside of any test'}: {what}{where}{f' in {self.function}' if self.function else ''}"


@dataclass(frozen=True, kw_only=True)
class Supervision:
    """The sanitizer of a test run.

    Attributes:
        sanitizer: what runs in the test process.
        standard_library: libstdc++, which AddressSanitizer must find before a module throws; None where there is none.
        own_malloc: whether Python is told to use malloc for its own objects; one without the GIL cannot.
        folder: where the reports go.
        source: the project.
    """

    sanitizer: Sanitizer
    standard_library: Path | None
    own_malloc: bool
    folder: Path
    source: Path

    def variables(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return what the test process needs beside ``env``; options of the table come last and win."""
        kind = self.sanitizer.kind
        words = [*_OPTIONS[kind], f"log_path='{self.folder / 'report'}'"]
        if self.sanitizer.symbolizer:
            words.append(f"external_symbolizer_path='{self.sanitizer.symbolizer}'")
        name = f"{kind.upper()}_OPTIONS"
        libraries = [self.sanitizer.runtime]
        if (
            self.standard_library and kind != "tsan"
        ):  # it starts before Clang's runtime, which cannot have that
            libraries.append(self.standard_library)
        return {
            REPORTS: str(self.folder),
            RUNTIME: " ".join(map(preload_word, libraries)),
            name: ":".join(filter(None, [*words, env.get(name, "")])),
            **({"PYTHONMALLOC": "malloc"} if self.own_malloc else {}),
        }

    def findings(self) -> tuple[Finding, ...]:
        """Read the reports of all processes, each fault once a test."""
        found = (one for path in self._reports() for one in self._of_process(path))
        return tuple(dict.fromkeys(found))

    def last_test(self) -> str:
        """Return the test in which the process that was last heard of has ended; empty for none."""
        files = sorted(self.folder.glob("tests.*"), key=lambda path: path.stat().st_mtime)
        return _marks(files[-1])[-1][1] if files else ""

    def _reports(self) -> list[Path]:
        return sorted(self.folder.glob("report.*"), key=lambda path: int(path.suffix[1:]))

    def _of_process(self, report: Path) -> Iterator[Finding]:
        content = report.read_bytes()
        marks = _marks(report.with_name(f"tests{report.suffix}"))
        ends = [*(size for size, _ in marks[1:]), len(content)]
        for (start, test), end in zip(marks, ends, strict=True):
            for one in read_report(content[start:end].decode(errors="replace"), self._own):
                yield replace(one, file=self._shown(one.file), test=test)

    def _own(self, file: str) -> bool:
        """Tell whether a file is the project's, as the build has called it or beside its sources."""
        return file.startswith((*_NAMED, f"{self.source}/")) or (
            not file.startswith("/") and (self.source / file).is_file()
        )

    def _shown(self, file: str) -> str:
        for prefix in (*_NAMED, f"{self.source}/"):
            if file.startswith(prefix):
                return file[len(prefix) :]
        return file


def _marks(file: Path) -> list[tuple[int, str]]:
    """Return size of the report and test, from the beginning on."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    fields = [line.split(" ", 1) for line in lines]
    return [(0, ""), *((int(size), test) for size, test in fields)]


def read_report(text: str, own: Callable[[str], bool]) -> tuple[Finding, ...]:
    """Read what a sanitizer has written: its faults in their order, of no test yet.

    Args:
        text: the report.
        own: tells whether a file is the project's.
    """
    heads = sorted([*_HEAD.finditer(text), *_UNDEFINED.finditer(text)], key=lambda match: match.start())
    ends = [match.start() for match in heads[1:]] + [len(text)] * bool(heads)
    return tuple(
        _finding(match, text[match.start() : end], own) for match, end in zip(heads, ends, strict=True)
    )


def _finding(head: re.Match[str], text: str, own: Callable[[str], bool]) -> Finding:
    frames = [(match[2], int(match[3]), match[1]) for match in _FRAME.finditer(text)]
    if head.re is _UNDEFINED:
        kind, line = _SUMMARY.search(text), int(head[2])
        name = Path(head[1]).name  # GCC's has the whole path as it was then
        same = (one for one in frames if Path(one[0]).name == name and one[1] == line)
        file, _, function = next(same, (head[1], line, ""))
        return Finding(
            sanitizer=NAMES["ubsan"],
            kind=kind[1] if kind else "undefined-behavior",
            message=head[3],
            file=file,
            line=line,
            function=function,
            test="",
        )
    ours = (frame for frame in frames if own(frame[0]))
    file, line, function = next(ours, frames[0] if frames else ("", 0, ""))
    return Finding(
        sanitizer=head[1],
        kind=_KIND.sub("", head[2]).strip(),
        message=head[2],
        file=file,
        line=line,
        function=function,
        test="",
    )
