"""A batch as arrays for Keras: nothing lost, nothing twice, what is added weighs nothing."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings

from drystone import DataError, Layout, Loader, Packed, Padded, Sequences, Stateful
from drystone.keras.source import Source
from tests.contract.strategies import layouts, lengths, seeds
from tests.keras.small import LAYOUTS, LENGTHS, ONE_A_ROW, SEVERAL_A_ROW, loader, sequences

EVERY_MASK = ["valid", "reset", "scored", "sequence", "ends"]


def source(layout: Layout, x: Any = ("n", *EVERY_MASK), y: Any = "n", weight: Any = None, seqs: Any = None) -> Source:
    return Source(loader(layout, seqs), x, y, weight, "float32")


@settings(max_examples=40)
@given(layout=layouts, found=lengths, seed=seeds)
def test_every_step_and_every_sequence_is_seen_once(layout: Layout, found: Any, seed: int) -> None:
    numbers = np.split(np.arange(1, found.sum() + 1), np.cumsum(found)[:-1])
    seqs = Sequences.from_arrays({"n": numbers}, {"i": np.arange(1, len(found) + 1)})
    plan = layout.plan(seqs.lengths, seed)
    ends = plan.column("offset") + plan.column("length") == found[plan.column("sequence")]
    assume(ends.any())
    made = Source(Loader(seqs, layout, seed=seed), ["n", *EVERY_MASK], ["n", "i"], None, "float64")
    steps: list[int] = []
    ended: list[int] = []
    share = {"n": 0.0, "i": 0.0}
    rows = 0
    for x, y, weight in made.epoch():
        assert (x["n"][~x["scored"]] == 0).all()
        assert (weight["n"] > 0).tolist() == x["scored"].tolist()
        steps += y["n"][..., 0][x["scored"]].tolist()
        real = weight["i"] > 0
        assert (x["sequence"].reshape(-1)[x["ends"]][real] + 1 == y["i"][real]).all()
        ended += y["i"][real].tolist()
        rows += len(x["n"])
        for name, values in weight.items():
            share[name] += values.mean() * len(x["n"])
    dropped = plan.dropped.to_pydict()
    assert sorted(steps) == sorted(set(range(1, found.sum() + 1)) - _steps_of(dropped, numbers))
    assert sorted(ended) == sorted((plan.column("sequence")[ends] + 1).tolist())
    assert share == {"n": pytest.approx(rows), "i": pytest.approx(rows)}  # Keras' mean over rows has weight 1


def _steps_of(dropped: Any, numbers: Any) -> set[int]:
    spans = zip(dropped["sequence"], dropped["offset"], dropped["length"], strict=True)
    return {int(step) for sequence, offset, length in spans for step in numbers[sequence][offset : offset + length]}


@pytest.mark.parametrize("layout", LAYOUTS, ids=repr)
def test_no_row_is_empty_unless_a_sequence_waits_there(layout: Layout) -> None:
    for x, _, _ in source(layout).epoch():
        assert x["valid"].any(axis=1).all()
        added = x["valid"] & ~x["scored"]
        assert (added.nonzero()[1] == 0).all()
        assert (x["n"][added] == 0).all()


def test_a_row_on_which_a_sequence_waits_stays_empty() -> None:
    times = [np.array([0, 9]), np.arange(10)]
    seqs = Sequences.from_arrays({"n": [[1, 2], np.arange(3, 13)], "time": times})
    made = Source(
        Loader(seqs, Stateful(rows=2, steps=3, align="time", order="given")),
        ["n", "valid", "reset"],
        "n",
        None,
        "float32",
    )
    empty = [(~x["valid"].any(axis=1)).tolist() for x, _, _ in made.epoch()]
    assert empty == [[False, False], [True, False], [True, False], [False, False]]


@pytest.mark.parametrize("layout", ONE_A_ROW, ids=repr)
def test_masks_of_one_sequence_a_row_are_right_padded(layout: Layout) -> None:
    for x, _, _ in source(layout).epoch():
        assert (np.diff(x["valid"].astype(int), axis=1) <= 0).all()


@pytest.mark.parametrize("layout", ONE_A_ROW, ids=repr)
def test_targets_of_one_sequence_a_row_come_in_the_order_of_rows(layout: Layout) -> None:
    seqs = sequences()
    for x, y, weight in source(layout, ["sequence"], "y").epoch():
        rows = x["sequence"][:, 0]
        assert y[rows >= 0].tolist() == seqs.field("y").values.astype(np.float32)[rows[rows >= 0]].tolist()
        assert (weight[rows < 0] == 0).all()
        assert (weight[rows >= 0] > 0).all()


@pytest.mark.parametrize("layout", SEVERAL_A_ROW, ids=repr)
def test_what_sequences_have_one_value_of_comes_at_each_step_where_borders_are_known(layout: Layout) -> None:
    seqs = sequences()
    for x, *_ in source(layout, ["w", "sequence"], "t").epoch():
        at = x["sequence"]
        assert np.allclose(x["w"], np.where(at >= 0, seqs.field("w").values[at], 0))


def test_types_are_those_that_keras_takes() -> None:
    x, y, weight = source(Padded(4), ["x", "n", *EVERY_MASK], ["t", "k", "y"]).batch(0)
    assert {name: str(array.dtype) for name, array in x.items()} == {
        "x": "float32", "n": "int32", "valid": "bool", "reset": "bool", "scored": "bool", "sequence": "int32", "ends": "int32",
    }  # fmt: skip
    assert {name: str(array.dtype) for name, array in y.items()} == {"t": "float32", "k": "int64", "y": "float32"}
    assert {str(array.dtype) for array in weight.values()} == {"float32"}


def test_names_are_those_that_the_model_uses() -> None:
    x, y, weight = source(Padded(4), {"tokens": "n", "mask": "valid"}, {"out": "t"}).batch(0)
    assert (list(x), list(y), list(weight)) == (["tokens", "mask"], ["out"], ["out"])
    x, y, weight = source(Padded(4), "x", "t").batch(0)
    assert x.shape[2:] == (2,)
    assert y.shape == (*weight.shape, 1)
    assert len(source(Padded(4), "x", None).batch(0)) == 1


def test_a_field_called_like_a_mask_is_the_field() -> None:
    seqs = Sequences.from_arrays({"x": [[1.0, 2.0]], "valid": [[7.0, 8.0]]})
    x, *_ = Source(Loader(seqs, Padded(1)), ["x", "valid"], "x", None, "float32").batch(0)
    assert x["valid"].tolist() == [[7.0, 8.0]]


@pytest.mark.parametrize("weight", ["w", "v", None])
@pytest.mark.parametrize("layout", LAYOUTS, ids=repr)
def test_weights_are_in_proportion_to_the_field(layout: Layout, weight: str | None) -> None:
    seqs = sequences().cut(2, lead=1)
    made = source(layout, ["n", *EVERY_MASK], "t", weight, seqs)
    found: list[float] = []
    expected: list[float] = []
    for x, _, weights in made.epoch():
        at = x["scored"]
        found += (weights / at.shape[1])[at].tolist()
        if weight == "w":
            expected += seqs.field("w").values[x["sequence"][at]].tolist()
        else:
            expected += (sequences().field("v").values[x["n"][at] - 1] if weight else np.ones(at.sum())).tolist()
        assert (weights[~at] == 0).all()
    assert np.allclose(np.array(found) / np.sum(found), np.array(expected) / np.sum(expected), rtol=1e-5)


@pytest.mark.parametrize(
    ("x", "y", "weight", "words"),
    [
        ("xx", "y", None, "there is no field 'xx'.*Did you mean 'x'"),
        ("x", "yy", None, "there is no field 'yy'.*Did you mean"),
        ("x", "y", "ww", "there is no field 'ww'"),
        ("x", "text", None, "field 'text' holds text; Keras needs numbers.*numpy.unique"),
        ("x", "y", "x", r"weight field 'x' holds float64\[2\]; expected one number"),
        ("x", "y", "v", "weight field 'v' has a value a step, and target 'y' one a sequence"),
        ("x", "y", "t", "weight field 't' has a value a step"),
        ("x", "t", "t", r"weight field 't' is -\d.* at sequence \d+, step \d+; expected a number ≥ 0"),
        ("x", None, "w", "weight='w' weighs nothing: give y="),
        ([], "y", None, r"\[\] names no field"),
    ],
)
def test_what_cannot_be_fed_is_refused(x: Any, y: Any, weight: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        source(Padded(4), x, y, weight)


@pytest.mark.parametrize("layout", SEVERAL_A_ROW, ids=repr)
def test_borders_inside_rows_have_to_reach_the_model(layout: Layout) -> None:
    with pytest.raises(DataError, match='starts a sequence on row .* Add "reset" to x'):
        source(layout, ["x", "valid", "ends"], "t")
    with pytest.raises(DataError, match="target 'y' has one value a sequence.* Add \"ends\" to x"):
        source(layout, ["x", "valid", "reset"], "y")


def test_series_that_all_start_at_the_first_batch_need_no_reset() -> None:
    seqs = sequences([8, 8])
    assert source(Stateful(rows=2, steps=4), "x", "t", seqs=seqs).loader.plan.num_batches == 2


def test_whole_numbers_beyond_32_bits_are_refused() -> None:
    seqs = Sequences.from_arrays({"x": [[1, 2**31]]})
    with pytest.raises(DataError, match="field 'x' holds 2147483648 or 1, which leaves 32 bits"):
        Source(Loader(seqs, Padded(1)), "x", None, None, "float32").batch(0)


def test_an_epoch_without_a_scored_step_is_refused() -> None:
    seqs = Sequences.from_arrays({"x": [[1.0, 2.0]]}).ahead("x", [5], name="later")
    with pytest.raises(DataError, match="target 'later' weighs nothing in the whole epoch"):
        Source(Loader(seqs, Padded(1)), "x", "later", None, "float32")


def test_equal_steps_get_equal_rows_and_ends() -> None:
    made = source(Packed(rows=2, steps=9))
    shapes = {(x["n"].shape, x["ends"].shape) for x, _, _ in made.epoch()}
    assert len(shapes) == 1
    assert sum(LENGTHS) % 18


def test_an_epoch_without_a_batch_is_refused() -> None:
    with pytest.raises(DataError, match="there is no batch in Plan.* drops all. Let it keep remainders"):
        source(Packed(rows=20, steps=9, remainder="drop"))
