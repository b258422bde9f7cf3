"""``meanwhile WIDTH VALUE…``."""

import sys

from . import running_mean


def main() -> None:
    """Print the running means of the arguments."""
    width, *values = sys.argv[1:]
    print(*running_mean([float(value) for value in values], int(width)))
