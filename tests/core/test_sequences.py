"""Sequences: the same values in whichever form they came, without copies where none is needed."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from drystone import DataError, Sequences
from tests.contract import strategies

Array = np.ndarray[Any, Any]


def made(lengths: Array, shape: tuple[int, ...] = (2,)) -> tuple[list[Array], Sequences]:
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(length, *shape)) for length in lengths]
    words = [[f"w{k}" for k in range(length)] for length in lengths]
    labels = [f"class {k % 3}" for k in range(len(lengths))]
    per_step = {"x": arrays, "word": words, "count": [np.arange(length) for length in lengths]}
    return arrays, Sequences.from_arrays(per_step=per_step, per_sequence={"y": labels, "n": lengths})


@given(strategies.lengths, st.sampled_from([(), (3,), (2, 3)]))
def test_every_sequence_comes_back(lengths: Array, shape: tuple[int, ...]) -> None:
    arrays, seqs = made(lengths, shape)
    assert len(seqs) == len(lengths)
    assert seqs.lengths.dtype == np.int64
    for index, found in enumerate(seqs):
        np.testing.assert_array_equal(found["x"], arrays[index])
        assert found["word"].tolist() == [f"w{k}" for k in range(lengths[index])]
        assert (found["y"], found["n"]) == (f"class {index % 3}", lengths[index])
    np.testing.assert_array_equal(seqs.field("x").values, np.concatenate(arrays))
    assert seqs.field("x").item_shape == shape


@given(strategies.lengths, st.data())
def test_select_and_slices_keep_order_and_repeats(lengths: Array, data: st.DataObject) -> None:
    arrays, seqs = made(lengths)
    indices = data.draw(st.lists(st.integers(-len(lengths), len(lengths) - 1), min_size=1, max_size=8))
    chosen = seqs.select(indices)
    for place, index in enumerate(indices):
        np.testing.assert_array_equal(chosen[place]["x"], arrays[index])
        assert chosen[place]["n"] == lengths[index]
    np.testing.assert_array_equal(chosen.field("x").values, np.concatenate([arrays[index] for index in indices]))
    again = chosen.select(np.arange(len(chosen)) % 2 == 0)
    assert again.lengths.tolist() == lengths[indices][::2].tolist()
    cut = data.draw(st.slices(len(lengths)))
    assert seqs[cut].lengths.tolist() == lengths[cut].tolist()


def test_ragged_and_padded_values_are_not_copied() -> None:
    values = np.arange(12.0).reshape(6, 2)
    seqs = Sequences.from_ragged([0, 2, 6], per_step={"x": values}, per_sequence={"y": [1, 2]})
    assert np.shares_memory(seqs.field("x").values, values)
    assert np.shares_memory(seqs[1:][0]["x"], values)
    padded = np.arange(24.0).reshape(2, 4, 3)
    assert np.shares_memory(Sequences.from_padded(padded, lengths=[4, 1])[1]["x"], padded)
    arrow = pa.array(np.arange(6.0))
    assert np.shares_memory(Sequences.from_ragged([0, 6], per_step={"x": arrow}).field("x").values, np.asarray(arrow))


@given(strategies.lengths, st.booleans(), st.booleans())
def test_padded_arrays_give_their_real_steps(lengths: Array, is_left: bool, with_mask: bool) -> None:
    rng = np.random.default_rng(1)
    steps = int(lengths.max()) + 1
    array = rng.normal(size=(len(lengths), steps, 2))
    first = steps - lengths if is_left else np.zeros_like(lengths)
    column = np.arange(steps)
    mask = (column >= first[:, None]) & (column < (first + lengths)[:, None])
    array[~mask] = np.nan
    if with_mask:
        seqs = Sequences.from_padded(array, mask=mask)
    else:
        seqs = Sequences.from_padded({"x": array}, lengths=lengths, side="left" if is_left else "right")
    for index, found in enumerate(seqs):
        np.testing.assert_array_equal(found["x"], array[index][mask[index]])


@given(lengths=strategies.lengths)
def test_saved_sequences_open_equal_and_memory_mapped(lengths: Array, tmp_path_factory: pytest.TempPathFactory) -> None:
    arrays, seqs = made(lengths, (2, 2))
    path = tmp_path_factory.mktemp("saved") / "some.arrow"
    seqs.select(np.arange(len(seqs))[::-1]).save(path)
    opened = Sequences.open(path)
    assert repr(opened) == repr(seqs)
    np.testing.assert_array_equal(opened.field("x").values, np.concatenate(arrays[::-1]))
    assert opened[0]["y"] == seqs[len(seqs) - 1]["y"]
    assert not opened.field("x").values.flags.owndata
    assert opened.fingerprint() == seqs[::-1].fingerprint() != seqs.select([*range(len(seqs)), 0]).fingerprint()


def test_saving_never_replaces_by_accident_nor_half_writes(tmp_path: Path) -> None:
    _, seqs = made(np.array([2, 1]))
    path = tmp_path / "a.arrow"
    path.write_text("precious")
    with pytest.raises(DataError, match="exists"):
        seqs.save(path)
    assert path.read_text() == "precious"
    seqs.save(path, overwrite=True)
    assert [file.name for file in tmp_path.iterdir()] == ["a.arrow"]
    with pytest.raises(DataError, match="no folder"):
        seqs.save(tmp_path / "missing" / "a.arrow")
    for cut in (0, 10, path.stat().st_size // 2, path.stat().st_size - 1):
        damaged = tmp_path / "damaged.arrow"
        damaged.write_bytes(path.read_bytes()[:cut])
        with pytest.raises(DataError, match="not a whole Arrow file"):
            Sequences.open(damaged)
    with pytest.raises(DataError, match="no file"):
        Sequences.open(tmp_path / "absent.arrow")


def test_arrow_stream_interface_gives_list_columns() -> None:
    _, seqs = made(np.array([2, 1]))
    table = pa.table(seqs)
    assert table["count"].to_pylist() == [[0, 1], [0]]
    assert table["y"].to_pylist() == ["class 0", "class 1"]


def test_sequences_pickle() -> None:
    _, seqs = made(np.array([2, 1]))
    assert pickle.loads(pickle.dumps(seqs)).fingerprint() == seqs.fingerprint()


def test_collapsed_makes_a_constant_field_one_value_a_sequence() -> None:
    seqs = Sequences.from_arrays(
        per_step={"x": [[1.0, 2.0], [3.0]], "label": [["a", "a"], ["b"]]}, per_sequence={"n": [7, 8]}
    )
    collapsed = seqs.select([1, 0]).collapsed("label")
    assert collapsed.field("label").values.tolist() == ["b", "a"]
    assert collapsed.field("n").values.tolist() == [8, 7]
    assert collapsed.collapsed("label") is collapsed
    with pytest.raises(DataError, match=r"'x' changes in sequence 0, from .*1.0.* to .*2.0"):
        seqs.collapsed("x")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Sequences.from_arrays({"x": [[1.0], [], []]}), r"sequence 1 has length 0 \(and 1 more\).*on_empty"),
        (lambda: Sequences.from_arrays({"x": [[], []]}, on_empty="drop"), "every sequence has length 0"),
        (
            lambda: Sequences.from_arrays({"x": [[1, 2], [3]], "z": [[1, 2], [3, 4]]}),
            "sequence 1 has 1 steps in field 'x' and 2 in field 'z'",
        ),
        (lambda: Sequences.from_arrays({"x": [[1], [3]], "z": [[1]]}), "'x' has 2 sequences and field 'z' has 1"),
        (lambda: Sequences.from_arrays({"x": [[[1, 2]], [[3]]]}), r"sequence 1 are numbers of shape \(1,\)"),
        (lambda: Sequences.from_arrays({"x": [[[1, 2], [3]]]}), "ragged"),
        (lambda: Sequences.from_arrays({"x": [[1.0], ["a"]]}), "sequence 1 are text"),
        (lambda: Sequences.from_arrays({"x": [[object()]]}), "neither numbers nor text"),
        (lambda: Sequences.from_arrays({"x": [[1j]]}), "complex"),
        (lambda: Sequences.from_arrays({}), "per_step is empty"),
        (lambda: Sequences.from_arrays({"x": []}), "no sequences"),
        (lambda: Sequences.from_arrays({"x": [1, 2]}), "list of arrays"),
        (lambda: Sequences.from_arrays({"x": [[1]]}, {"x": [1]}), "in per_step and in per_sequence"),
        (lambda: Sequences.from_arrays({"x": [[1]]}, {"y": [1, 2]}), "'y' has 2 values for 1 sequences"),
        (lambda: Sequences.from_ragged([0, 3, 2], {"x": np.zeros(2)}), r"offsets\[2\] is 2"),
        (lambda: Sequences.from_ragged([-1, 2], {"x": np.zeros(2)}), r"offsets\[0\] is -1"),
        (lambda: Sequences.from_ragged([0, 3], {"x": np.zeros(2)}), "2 steps, but the offsets end at 3"),
        (lambda: Sequences.from_ragged([0.0, 2.0], {"x": np.zeros(2)}), "whole numbers"),
        (lambda: Sequences.from_padded(np.zeros((2, 3))), "lengths= or mask="),
        (lambda: Sequences.from_padded(np.zeros((2, 3)), lengths=[1, 4]), r"lengths\[1\] is 4; .* 3 steps"),
        (lambda: Sequences.from_padded(np.zeros((2, 3)), lengths=[1]), "2 whole numbers"),
        (lambda: Sequences.from_padded(np.zeros((1, 3)), mask=[[1, 0, 1]]), r"mask\[0\] has a gap at step 1"),
        (lambda: Sequences.from_padded(np.zeros((1, 3)), mask=[[1, 0.5, 0]]), "mask holds 0.5"),
        (lambda: Sequences.from_padded(np.zeros((1, 3)), mask=[[1, 0]]), r"\(1, 2\); expected \(1, 3\)"),
        (lambda: Sequences.from_padded(np.zeros(3), lengths=[1]), r"expected \[sequences, steps"),
        (lambda: Sequences.from_padded(np.zeros((1, 3)), lengths=[1], side="up"), "got 'up'"),  # type: ignore[arg-type]
        (lambda: Sequences.from_arrays({"x": [[1]]}, {"y": 5}), "single value 5"),
        (lambda: Sequences.from_arrays({"x": [np.array([0], "M8[ps]")]}), "from years to nanoseconds"),
        (lambda: Sequences.from_arrays({"x": [np.zeros((2, 0))]}), "at least one number"),
        (lambda: Sequences.from_arrays({"x": [np.array(["2020"], "M8[D]"), [1.0]]}), "sequence 1 are numbers"),
        (lambda: Sequences.from_arrays({"x": [torch.ones(2, requires_grad=True)]}), "cannot be read as an array"),
        (lambda: Sequences.from_padded(np.zeros((2, 0)), mask=np.zeros((2, 0))), r"expected \[sequences, steps"),
        (lambda: made(np.array([2]))[1].field("z"), "no field 'z'; the fields are: x, word, count, y, n"),
        (lambda: made(np.array([2]))[1].select([1]), "index 1 is out of range; there are 1 sequences"),
        (lambda: made(np.array([2]))[1].select([True, False]), "needs one value for each of 1"),
        (lambda: made(np.array([2]))[1].select([0.0]), "whole numbers"),
    ],
)
def test_bad_input_is_named(make: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        make()


def test_wrong_keys_say_what_serves() -> None:
    _, seqs = made(np.array([2, 1]))
    np.testing.assert_array_equal(seqs[-1]["x"], seqs[np.int64(1)]["x"])
    for key in ("x", [0, 1], np.array([True, False])):
        with pytest.raises(DataError, match=r"for a field use field\(\), for a list select\(\)"):
            seqs[key]  # type: ignore[call-overload]
    for number in (2, -3):
        with pytest.raises(IndexError, match=f"no sequence {number}; there are 2"):
            seqs[number]
    with pytest.raises(DataError, match="per_step must be a dict of fields"):
        Sequences.from_arrays([[1.0]])  # type: ignore[arg-type]


def test_dropped_empty_sequences_are_listed() -> None:
    seqs = Sequences.from_arrays({"x": [[], [1.0], [], [2.0, 3.0]]}, {"y": list("abcd")}, on_empty="drop")
    assert seqs.dropped.tolist() == [0, 2]
    assert seqs.field("y").values.tolist() == ["b", "d"]
    assert "2 empty ones dropped" in repr(seqs)


@pytest.mark.parametrize("unit", ["Y", "M", "D", "h", "s", "ms", "us", "ns"])
def test_timestamps_of_any_unit_are_kept_and_saved(unit: str, tmp_path: Path) -> None:
    times = np.array([0, 1, 2], dtype=f"M8[{unit}]")
    seqs = Sequences.from_arrays({"t": [times[:2], times[2:]]})
    seqs.save(tmp_path / "t.arrow")
    kept = Sequences.open(tmp_path / "t.arrow").field("t").values
    np.testing.assert_array_equal(kept, times)


def test_indices_of_small_types_reach_all_sequences() -> None:
    seqs = Sequences.from_arrays({"x": [[number] for number in range(300)]})
    assert seqs.select(np.array([-1, 0], np.int8)).field("x").values.tolist() == [299, 0]


def test_collapsed_keeps_missing_values() -> None:
    nan = float("nan")
    seqs = Sequences.from_arrays({"x": [[nan, nan], [1.0]]})
    assert np.isnan(seqs.collapsed("x").field("x").values[0])
    assert len(seqs[:0].collapsed("x")) == 0


def test_text_may_be_missing_and_small_types_are_kept() -> None:
    seqs = Sequences.from_arrays({"x": [np.zeros(2, np.float16)], "k": [np.ones(2, np.uint8)]}, {"y": [None]})
    assert seqs.field("x").values.dtype == np.float32
    assert seqs.field("k").values.dtype == np.uint8
    assert seqs.field("y").values.tolist() == [None]


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ([7, 8], "sequence 1 (id 8)"),
        (["a", "b"], "sequence 1 (id 'b')"),
        (np.array(["2026-01-01", "2026-01-02"], "M8[s]"), "sequence 1 (id 2026-01-02T00:00:00)"),
    ],
    ids=str,
)
def test_places_say_ids_as_people_write_them(ids: Any, words: str) -> None:
    seqs = Sequences.from_arrays({"x": [[1.0], [2.0]]}, {"id": ids})
    assert replace(seqs, sequence_id="id").place(1) == words
