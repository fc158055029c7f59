"""Errors travel between processes as they are."""

import pickle
from collections.abc import Iterator

import pytest

from drystone.core import errors
from drystone.core.errors import DrystoneError, MissingExtraError, RankError, StreamInputError


def kinds_of(kind: type[DrystoneError]) -> Iterator[type[DrystoneError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from kinds_of(each)


OWN_WORDS = {
    StreamInputError: StreamInputError({"pump-7": "it has 3 features"}, num_streams=2),
    MissingExtraError: MissingExtraError("onnx", "onnxruntime"),
}


@pytest.mark.parametrize("kind", [each for each in kinds_of(DrystoneError) if each.__module__ == errors.__name__])
def test_errors_are_pickled_with_their_words_and_notes(kind: type[DrystoneError]) -> None:
    error = OWN_WORDS.get(kind) or kind("what happened")
    error.add_note("and what to do")
    found = pickle.loads(pickle.dumps(error))
    assert type(found) is kind
    assert str(found) == str(error)
    assert found.__notes__ == ["and what to do"]


def test_what_is_told_elsewhere_stays_so() -> None:
    assert pickle.loads(pickle.dumps(RankError("rank 1 says why", is_told_elsewhere=True))).is_told_elsewhere
