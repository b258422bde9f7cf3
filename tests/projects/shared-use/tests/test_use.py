import pytest
import shareduse


def test_what_is_no_point_is_refused() -> None:
    with pytest.raises(TypeError):
        shareduse.length("no point")
