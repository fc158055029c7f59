"""Sequences of several sources, one after the other: what each holds, and where it came from."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drystone as ds
from drystone.core.append import append

lengths = st.lists(st.integers(1, 5), min_size=1, max_size=6)


def made(steps: list[int], seed: int) -> ds.Sequences:
    rng = np.random.default_rng(seed)
    per_step = {
        "x": [rng.normal(size=(count, 2)) for count in steps],
        "word": [[f"w{value}" for value in rng.integers(0, 9, count)] for count in steps],
        "time": [np.arange(count).astype("M8[s]") for count in steps],
    }
    return ds.Sequences.from_arrays(per_step, {"y": rng.integers(0, 9, len(steps)), "id": [f"{seed}" for _ in steps]})


def plain(seqs: ds.Sequences) -> list[dict[str, Any]]:
    return [{name: np.asarray(value).tolist() for name, value in found.items()} for found in seqs]


@given(lengths, lengths, st.randoms(use_true_random=False))
def test_each_sequence_is_as_it_was(one: list[int], other: list[int], random: Any) -> None:
    first, second = made(one, 0), made(other, 1)
    order = random.sample(range(len(second)), random.randint(1, len(second)))
    second = second.select(order)
    whole = append({"a": first, "b": second}, first.field_names)
    assert plain(whole) == plain(first) + plain(second)
    assert whole.lengths.tolist() == [*first.lengths, *second.lengths]
    assert whole.select(np.arange(len(first), len(whole))).fingerprint() == second.fingerprint()


@given(lengths, st.integers(1, 3))
def test_what_is_scored_is_kept(steps: list[int], ahead: int) -> None:
    first = made(steps, 0)
    view = first.ahead("x", [ahead], name="next").truncate(3)
    whole = append({"a": view, "b": view}, view.field_names)
    for found, expected in zip(whole.scored_steps(), view.scored_steps(), strict=True):
        assert found.tolist() == [*expected, *expected]
    assert plain(whole) == plain(view) * 2


def test_only_the_fields_asked_for_and_their_keys(tmp_path: Path) -> None:
    seqs = made([1, 2], 0)
    named = ds.Sequences.from_arrays({"x": [[1.0]]}, {"id": ["p"], "y": [1]})
    (tmp_path / "a.csv").write_text("id,t,x\np,1,0.5\np,2,0.25\nq,1,1\n")
    read = ds.read(tmp_path / "a.csv", sequence_id="id", order_by="t")
    assert append({"a": read, "b": named}, ["x", "id"]).sequence_id == "id"
    assert append({"a": read, "b": named}, ["x", "id"]).order_by is None
    assert append({"a": read, "b": named}, ["x"]).sequence_id is None
    assert append({"a": seqs}, ["word"]).field_names == ("word",)


def test_places_name_ids_as_they_were_written() -> None:
    steps = {"x": [[1.0], [2.0]]}
    for ids, words in (([5, 7], "7"), (["a", "7"], "'7'")):
        seqs = ds.read(ds.Sequences.from_arrays(steps, {"id": ids}).to_arrow(), sequence_id="id")
        assert seqs.place(1).startswith(f"sequence 1 (id {words})")


def test_places_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,t,x\nq,2,1\np,1,2\nq,1,3\n")
    (tmp_path / "b.csv").write_text("id,t,x\nr,1,4\ns,1,5\nr,2,6\n")
    (tmp_path / "c.jsonl").write_text('{"id": "u", "x": [1.0]}\n{"id": "v", "x": [7.0, 8.0]}\n')
    steps = [ds.read(tmp_path / f"{name}.csv", sequence_id="id", order_by="t") for name in "ab"]
    lists = ds.read(tmp_path / "c.jsonl", sequence_id="id")
    whole = append({"a": steps[0], "b": steps[1].select([1, 0]), "c": lists.select([1])}, ["x"])
    assert whole.field("x").values.tolist() == [3, 1, 2, 5, 4, 6, 7, 8]
    places = [whole.place(sequence, step) for sequence, step in ((0, 0), (0, 1), (1, 0), (2, 0), (3, 1), (4, 1))]
    assert [place.split(", ")[-1] for place in places] == [
        "line 4 of a.csv",
        "line 2 of a.csv",
        "line 3 of a.csv",
        "line 3 of b.csv",
        "line 4 of b.csv",
        "line 2 of c.jsonl",
    ]


def test_whole_numbers_and_fractions_go_together() -> None:
    whole = append(
        {n: ds.Sequences.from_arrays({"x": [values]}) for n, values in {"a": [1, 2], "b": [0.5]}.items()}, ["x"]
    )
    assert whole.field("x").values.tolist() == [1.0, 2.0, 0.5]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (ds.Sequences.from_arrays({"x": [["a"]]}), "'x': the values of b.csv are text, and those of a.csv are numbers"),
        (ds.Sequences.from_arrays({"x": [[[1.0, 2.0]]]}), r"the values of b.csv are numbers of shape \(2,\)"),
        (
            ds.Sequences.from_arrays({"z": [[1.0]]}, {"x": [1.0]}),
            "'x' has a value a step in a.csv and a value a sequence in b.csv",
        ),
        (ds.Sequences.from_arrays({"x": [[1.0]]})[:0], "b.csv holds no sequences"),
    ],
    ids=["text", "shape", "kind", "empty"],
)
def test_what_does_not_fit_is_named(other: ds.Sequences, words: str) -> None:
    with pytest.raises(ds.DataError, match=words):
        append({"a.csv": ds.Sequences.from_arrays({"x": [[1.0, 2.0]]}), "b.csv": other}, ["x"])


def test_keys_that_differ_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,pump,x\n1,1,0.5\n2,2,1\n")
    one, other = (ds.read(tmp_path / "a.csv", sequence_id=name) for name in ("id", "pump"))
    both = ds.Sequences.from_arrays({"x": [[1.0]]}, {"id": [1], "pump": [2]})
    with pytest.raises(ds.DataError, match="sequence_id is 'id' in a and 'pump' in b; all need the same"):
        append({"a": one.collapsed("pump"), "c": both, "b": other.collapsed("id")}, ["x", "id", "pump"])
