"""Settings of all tests."""

import os

import pytest
from hypothesis import settings

# The models of the tests are small: a second thread gains nothing, and costs much where cores are shared.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("drystone", deadline=None, max_examples=50)
settings.load_profile("drystone")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts first what takes minutes, so that no worker of pytest-xdist is left alone with it in the end."""
    items.sort(key=lambda item: not item.nodeid.startswith("tests/test_keras.py"))
