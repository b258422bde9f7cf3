import pytest


@pytest.fixture
def seven():
    return 7
