"""Run rattler-build's library on one order; called as a child process by :mod:`diptych.packages.conda`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rattler_build import (
    PlatformConfig,
    RenderConfig,
    Stage0Recipe,
    ToolConfiguration,
    VariantConfig,
)


def run(order: dict[str, Any]) -> list[str]:
    """Render the order's recipe and build each variant; return the packages' paths."""
    recipe = Stage0Recipe.from_file(order["recipe"])
    variants = VariantConfig({key: list(values) for key, values in order["variant"].items()})
    config = RenderConfig(platform=PlatformConfig(target_platform=order["platform"]))
    tools = ToolConfiguration(test_strategy="skip", compression_threads=1)
    return [
        str(path)
        for rendered in recipe.render(variants, config)
        for path in rendered.run_build(
            tool_config=tools,
            output_dir=order["output"],
            channels=order["channels"],
            no_build_id=True,
            package_format="conda",
            no_include_recipe=False,
        ).packages
    ]


def check_recipe(text: str) -> str:
    """Hold a recipe against the form that rattler-build reads; return what is wrong, or nothing."""
    try:
        Stage0Recipe.from_yaml(text)
    except Exception as error:  # noqa: BLE001 -- bindings of Rust, as below
        return str(error)
    return ""


def main(argv: list[str]) -> int:
    """Read the order file named on the command line and leave the list of packages where it says."""
    order = json.loads(Path(argv[1]).read_text(encoding="utf-8"))
    try:
        made = run(order)
    except Exception as error:  # noqa: BLE001 -- bindings of Rust: beside RattlerBuildError any other for bad values
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    Path(order["made"]).write_text(json.dumps(made), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
