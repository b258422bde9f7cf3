"""What ``pip install diptych`` costs for the doctor alone, and with the extra ``build``: seconds and megabytes.

Usage: python bench/install.py [WHEEL]    the wheel to examine, default: one that is downloaded

Each is installed into a fresh environment by pip from what pip has cached or the index has; then the doctor looks at the wheel.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def timed(*command: object) -> float:
    started = time.monotonic()
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - started


def size(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        pip = [sys.executable, "-m", "pip", "-q"]
        wheel = Path(sys.argv[1]) if len(sys.argv) > 1 else None
        if wheel is None:
            timed(*pip, "download", "--no-deps", "--only-binary", ":all:", "-d", scratch, "wrapt")
            wheel = next(scratch.glob("*.whl"))
        timed(*pip, "wheel", "--no-deps", "-w", scratch / "dist", ROOT)
        own = next((scratch / "dist").glob("diptych-*.whl"))
        print("| installed | seconds | MB | doctor, seconds |")
        print("| --- | --- | --- | --- |")
        for what in ("diptych", "diptych[build]"):
            place = scratch / what
            timed(sys.executable, "-m", "venv", "--without-pip", place)
            python = place / "bin" / "python"
            before = size(place)
            seconds = timed(*pip, "--python", python, "install", f"{own}{what.removeprefix('diptych')}")
            doctor = timed(place / "bin" / "diptych", "doctor", wheel)
            print(f"| {what} | {seconds:.1f} | {size(place) - before:.0f} | {doctor:.2f} |")


if __name__ == "__main__":
    main()
