"""Several fields as one target."""

import pytest

import drystone as ds
from drystone.train.targets import fields_of, parts_of, with_target

SEQS = ds.Sequences.from_arrays(
    {"a": [[1, 2], [3]], "b": [[0.5, 1.5], [2.5]], "v": [[[1.0, 2.0]] * 2, [[3.0, 4.0]]]},
    {"p": [True, False], "q": [False, False], "word": ["x", "y"]},
)


def test_fields_of_steps_stand_side_by_side() -> None:
    found = with_target(SEQS, "b,a")
    assert found.field("b,a").values.tolist() == [[0.5, 1], [1.5, 2], [2.5, 3]]
    assert parts_of("b,a", found) == ["b", "a"]
    assert parts_of("a", found) == ["a"]


def test_fields_of_sequences_stand_side_by_side_and_keep_their_type() -> None:
    field = with_target(SEQS.select([1, 0]), "p,q").field("p,q")
    assert field.values.tolist() == [[False, False], [True, False]]


def test_what_is_a_field_already_or_misses_stays_as_it_is() -> None:
    assert with_target(SEQS, "a") is SEQS
    assert with_target(SEQS, "a,nope") is SEQS


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("a,a", "names a field twice"),
        ("a,v", r"field 'v' is float64\[2\]; a target of several fields needs a number of each"),
        ("p,word", "field 'word' is text"),
        ("p,a,q", "field 'a' has a value a step and 'p' a value a sequence"),
    ],
)
def test_what_does_not_fit_together_is_named(target: str, words: str) -> None:
    with pytest.raises(ds.DataError, match=words):
        with_target(SEQS, target)


def test_a_value_a_sequence_and_one_a_step_are_a_joint_target() -> None:
    assert with_target(SEQS, "p,a") is SEQS
    assert fields_of("p,a", SEQS) == ["p", "a"]
    assert fields_of("b,a", with_target(SEQS, "b,a")) == ["b,a"]
