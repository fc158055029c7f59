"""Documents with a step more before each."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given

import drystone as ds
from drystone.torch.language import next_tokens
from tests.torch.language.texts import BEGIN, documents, sequences


@given(arrays=documents)
def test_every_token_is_a_target_once(arrays: list[Any]) -> None:
    found = next_tokens(sequences(arrays), begin=BEGIN)
    assert len(found) == len(arrays)
    for document, ids in zip(found, arrays, strict=True):
        np.testing.assert_array_equal(document["ids"], [BEGIN, *ids])
        np.testing.assert_array_equal(document["next"][:-1, 0], ids)
    first, stop = found.scored_steps()
    assert (first == 0).all()
    np.testing.assert_array_equal(stop, [len(ids) for ids in arrays])


def test_fields_with_a_value_a_sequence_stay() -> None:
    seqs = ds.Sequences.from_arrays({"ids": [[2, 3], [4]]}, {"name": ["a", "b"]})
    assert [each["name"] for each in next_tokens(seqs.select([1, 0]), begin=BEGIN)] == ["b", "a"]


def test_the_state_may_cross_the_borders() -> None:
    joined = next_tokens(sequences([[2, 3], [4, 5]]), begin=BEGIN, name="after").join()
    assert joined[0]["ids"].tolist() == [BEGIN, 2, 3, BEGIN, 4, 5]
    assert joined[0]["after"][:-1, 0].tolist() == [2, 3, BEGIN, 4, 5]


@pytest.mark.parametrize(
    ("arrays", "begin", "said"),
    [
        ([[2, 3], [4, 0]], BEGIN, r"sequence 1, step 1: ids is 0; ids of tokens start at 1, and 0 is padding"),
        ([[2, BEGIN], [4]], BEGIN, r"sequence 0, step 1: ids is 6; it begins documents"),
        ([[2, 3]], 0, r"begin must be at least 1, since 0 is padding; got 0"),
        ([[2.0, 3.0]], BEGIN, r"field 'ids' is float64; expected the id of a token a step"),
        ([["a", "b"]], BEGIN, r"field 'ids' is text; expected the id"),
    ],
)
def test_bad_ids_are_named(arrays: list[Any], begin: int, said: str) -> None:
    with pytest.raises(ds.DataError, match=said):
        next_tokens(sequences(arrays), begin=begin)


def test_documents_that_are_cut_are_refused() -> None:
    with pytest.raises(ds.DataError, match="call next_tokens before cutting"):
        next_tokens(sequences([[2, 3, 4, 5]]).cut(2, lead=1), begin=BEGIN)
