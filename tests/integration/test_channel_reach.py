from __future__ import annotations

from pathlib import Path

import pytest

from diptych.channel.reach import choose, reachable, url_of
from diptych.channel.serve import serve
from diptych.errors import ChannelError

# Nothing listens on port 9 of this machine (discard), so that a refusal is immediate.
DOWN = {"CONDA_CHANNEL_ALIAS": "http://127.0.0.1:9"}


@pytest.fixture
def channel(tmp_path: Path) -> Path:
    (tmp_path / "noarch").mkdir()
    (tmp_path / "noarch" / "repodata.json").write_text("{}")
    return tmp_path


def test_urls_of_names() -> None:
    assert url_of("conda-forge", {}) == "https://conda.anaconda.org/conda-forge"
    assert url_of("mine", {"CONDA_CHANNEL_ALIAS": "https://x.org/"}) == "https://x.org/mine"
    assert url_of("https://x.org/y/", {}) == "https://x.org/y"
    assert url_of("/srv/channel", {}) == "file:///srv/channel"


def test_folder_and_http(channel: Path, tmp_path: Path) -> None:
    assert reachable(channel.as_uri(), env={}) == ""
    assert "no noarch/repodata.json" in reachable((tmp_path / "other").as_uri(), env={})
    with serve(channel) as url:
        assert reachable(url, env={}) == ""
        assert reachable(f"{url}/absent", env={}).startswith("404")
    assert "refused" in reachable("http://127.0.0.1:9", env={})


def test_proxy_is_used_and_exempted(channel: Path) -> None:
    with serve(channel) as url:
        proxied = {"http_proxy": "http://127.0.0.1:9"}
        assert "refused" in reachable(url, env=proxied)
        assert reachable(url, env={**proxied, "no_proxy": "example.org, 127.0.0.1"}) == ""


def test_all_reachable(channel: Path) -> None:
    choice = choose([channel.as_uri()], env=DOWN, ci=True)

    assert choice.channels == (channel.as_uri(),)
    assert not choice.fallback
    assert choice.reason == ""


def test_conda_forge_down_falls_back_and_says_so(channel: Path) -> None:
    choice = choose([channel.as_uri(), "conda-forge"], env=DOWN, ci=False)

    assert choice.channels == (channel.as_uri(), "local")
    assert choice.fallback
    assert "conda-forge (http://127.0.0.1:9/conda-forge)" in choice.reason


def test_local_named_is_no_fallback() -> None:
    assert choose(["local"], env=DOWN, ci=True).channels == ("local",)
    choice = choose(["conda-forge", "local"], env=DOWN, ci=True)
    assert choice.channels == ("local",)
    assert not choice.fallback
    assert choice.reason


def test_ci_refuses_a_stand_in() -> None:
    with pytest.raises(ChannelError, match="under CI"):
        choose(["conda-forge"], env=DOWN, ci=True)


@pytest.mark.parametrize("ci", [True, False])
def test_own_channel_down_is_an_error(ci: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    with pytest.raises(ChannelError, match=r'"http://127\.0\.0\.1:9/mine" cannot be reached'):
        choose(["http://127.0.0.1:9/mine", "local"], env=DOWN, ci=ci)
    with pytest.raises(ChannelError, match='"mine" cannot be reached'):
        choose(["mine"], env=DOWN, ci=ci)


def test_no_channel_at_all() -> None:
    with pytest.raises(ChannelError, match="no channel"):
        choose([], env={}, ci=False)


def test_port_that_is_taken(channel: Path) -> None:
    with (
        serve(channel) as url,
        pytest.raises(ChannelError, match="cannot serve"),
        serve(channel, int(url.rpartition(":")[2])),
    ):
        pass
