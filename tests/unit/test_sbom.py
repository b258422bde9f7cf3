"""The bill of materials: origins of grafted libraries, their licence texts, and the CycloneDX schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from diptych.environments import Environment, read_lock
from diptych.packages.grafted import original_name, public_url, trace
from diptych.packages.licences import licence_texts
from diptych.packages.sbom import bill, package_url

URL = "https://me:secret@conda.example.com/t/tk-123/forge/linux-64/zlib-1.3.1-h1_0.conda"
RECORD = {
    "name": "zlib",
    "version": "1.3.1",
    "build": "h1_0",
    "subdir": "linux-64",
    "url": URL,
    "sha256": "ab" * 32,
    "license": "Zlib",
    "files": ["lib/libz.so.1", "lib/libodd-deadbeef.so"],
}
GRAFTED = [("pair.libs/libz-0123abcd.so.1", "11" * 32), ("pair.libs/libodd-deadbeef.so", "22" * 32)]


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    prefix, cache = tmp_path / "prefix", tmp_path / "cache" / "zlib"
    (prefix / "conda-meta").mkdir(parents=True)
    (prefix / "lib").mkdir()
    (prefix / "lib" / "libz.so.1").write_bytes(b"z")
    (cache / "info" / "licenses" / "sub").mkdir(parents=True)
    (cache / "info" / "licenses" / "sub" / "LICENSE.txt").write_text("as is")
    record = {**RECORD, "extracted_package_dir": str(cache)}
    (prefix / "conda-meta" / "zlib-1.3.1-h1_0.json").write_text(json.dumps(record))
    return Environment(
        prefix=prefix, python=prefix / "bin/python", version="3.11", lock=read_lock(prefix), channels=()
    )


@pytest.mark.parametrize(
    ("name", "original"),
    [
        ("libboost_numpy311-8ccded0d.so.1.90.0", "libboost_numpy311.so.1.90.0"),
        ("libstdc++-0123456789abcdef.so.6", "libstdc++.so.6"),
        ("libz.so.1", "libz.so.1"),
        ("libpng16-16.so", "libpng16-16.so"),
        ("libz.1.3.dylib", "libz.1.3.dylib"),
    ],
)
def test_a_hashed_name_is_undone(name: str, original: str) -> None:
    assert original_name(name) == original


def test_origins_are_found_by_name(environment: Environment) -> None:
    odd, zlib = trace(GRAFTED, environment)
    assert (zlib.library, odd.library) == ("libz.so.1", "libodd-deadbeef.so")
    assert zlib.origin
    assert (zlib.origin.package.name, zlib.origin.licence) == ("zlib", "Zlib")
    assert zlib.source_sha256 == "594e519ae499312b29433b7dd8a97ff068defcba9755b6d5d00e84c524d67b06"


def test_texts_come_from_the_package(environment: Environment) -> None:
    texts = licence_texts(trace(GRAFTED, environment), environment.prefix)
    assert texts == {"grafted/zlib/sub/LICENSE.txt": b"as is"}


def test_texts_come_from_the_prefix_or_from_diptych_where_the_cache_is_gone(
    environment: Environment, tmp_path: Path
) -> None:
    meta = environment.prefix / "conda-meta" / "zlib-1.3.1-h1_0.json"
    files = [*RECORD["files"], "share/zlib/COPYING"]
    record = {
        **RECORD,
        "extracted_package_dir": str(tmp_path / "gone"),
        "license": "Zlib OR BSL-1.0",
        "files": files,
    }
    meta.write_text(json.dumps(record))
    (carried,) = licence_texts(trace(GRAFTED, environment), environment.prefix).items()
    assert carried[0] == "grafted/zlib/BSL-1.0.txt"
    assert carried[1].startswith(b"Boost Software License")
    (environment.prefix / "share" / "zlib").mkdir(parents=True)
    (environment.prefix / "share" / "zlib" / "COPYING").write_text("copy")
    assert licence_texts(trace(GRAFTED, environment), environment.prefix) == {
        "grafted/zlib/zlib/COPYING": b"copy"
    }


def test_urls_keep_no_secret_and_no_folder() -> None:
    assert public_url(URL) == "https://conda.example.com/forge/linux-64/zlib-1.3.1-h1_0.conda"
    assert public_url("file:///home/ann/channel/linux-64/z.conda") == "local/linux-64/z.conda"
    assert public_url("") == ""


def test_the_purl_names_build_and_channel(environment: Environment) -> None:
    purl = package_url(environment.lock[0])
    assert purl == "pkg:conda/zlib@1.3.1?build=h1_0&channel=forge&subdir=linux-64&type=conda"


def full_bill(environment: Environment) -> bytes:
    stranger = ("pair.libs/libsystem-00112233.so.2", "33" * 32)
    grafted = trace([*GRAFTED, stranger], environment)
    return bill("Pair_x", "1.2", grafted, licence_texts(grafted, environment.prefix))


def test_the_bill_names_every_library_with_its_origin(environment: Environment) -> None:
    content = json.loads(full_bill(environment))
    zlib, system = content["components"]
    assert zlib["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]
    assert zlib["licenses"] == [{"expression": "Zlib"}]
    assert [one["name"] for one in zlib["components"]] == sorted(name for name, _ in GRAFTED)
    assert {"name": "diptych:origin", "value": "system"} in system["properties"]
    assert content["metadata"]["component"]["purl"] == "pkg:pypi/pair-x@1.2"
    assert content["dependencies"][0]["dependsOn"] == [one["bom-ref"] for one in content["components"]]
    assert b"secret" not in full_bill(environment)


def test_the_bill_is_the_same_every_time(environment: Environment) -> None:
    assert full_bill(environment) == full_bill(environment)


@pytest.mark.parametrize("licence", ["Zlib", "Public-Domain AND something of our own", ""])
def test_the_bill_is_valid_cyclonedx(environment: Environment, licence: str) -> None:
    meta = environment.prefix / "conda-meta" / "zlib-1.3.1-h1_0.json"
    meta.write_text(json.dumps({**RECORD, "license": licence}))
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(full_bill(environment).decode()) is None
