"""The examples in docstrings of drystone.keras run on this backend, and give what they say."""

import pytest

from tests.docstrings import OF_KERAS, num_failed


@pytest.mark.parametrize("name", OF_KERAS)
def test_examples_run(name: str) -> None:
    assert num_failed(name) == 0
