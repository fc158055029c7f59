"""BatchSampler: in a DataLoader over people's own Dataset, batches are those of a Loader."""

import json
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset, TensorDataset

import drystone as ds
from drystone.core.layouts import Layout
from drystone.torch import BatchSampler, Collate, Placed, TensorBatch, batches
from tests.contract import strategies
from tests.torch.own_data import LENGTHS, Own, assert_equal, sequences

LAYOUTS = {
    "padded": ds.Padded(4),
    "bucketed": ds.Bucketed(boundaries=(4, 8), batch_size=3),
    "packed": ds.Packed(sequences=5),
    "stateful": ds.Stateful(rows=3, steps=5),
}


def loader_of(sampler: BatchSampler, dataset: Any, **options: Any) -> DataLoader[Any]:
    return DataLoader(Placed(dataset), batch_sampler=sampler, collate_fn=Collate(), **options)


def assert_same_epochs(found: DataLoader[Any], layout: Layout, lengths: Any, seed: int = 0, epochs: int = 2) -> None:
    expected = ds.Loader(sequences(lengths), layout, seed=seed)
    for _ in range(epochs):
        assert len(found) == len(expected)
        for ours, theirs in zip(found, batches(expected), strict=True):
            assert_equal(ours, theirs)


@given(strategies.lengths, strategies.layouts, strategies.seeds)
def test_batches_are_those_of_a_loader(lengths: Any, layout: Layout, seed: int) -> None:
    sampler = BatchSampler(lengths, layout, seed)
    assert_same_epochs(loader_of(sampler, Own(lengths)), layout, lengths, seed)
    assert sampler.epoch == 2


@pytest.mark.parametrize("name", LAYOUTS)
def test_workers_that_stay_give_the_same_batches(name: str) -> None:
    sampler = BatchSampler(LENGTHS, LAYOUTS[name], seed=1)
    loader = loader_of(sampler, Own(LENGTHS), num_workers=2, persistent_workers=True, prefetch_factor=3)
    assert_same_epochs(loader, LAYOUTS[name], LENGTHS, seed=1)


def test_workers_that_start_afresh_give_the_same_batches() -> None:
    layout = LAYOUTS["stateful"]
    loader = loader_of(BatchSampler(LENGTHS, layout), Own(LENGTHS), num_workers=1, multiprocessing_context="spawn")
    assert_same_epochs(loader, layout, LENGTHS, epochs=1)


def test_an_item_is_fetched_once_a_span() -> None:
    dataset = Own([7, 2])
    sampler = BatchSampler([7, 2], ds.Stateful(rows=1, steps=3, order="given"))
    assert [batch.spans.offset.tolist() for batch in loader_of(sampler, dataset)] == [[0], [3], [6, 0]]
    assert dataset.asked == [0, 0, 0, 1]


class Together(Dataset[Any]):
    """A dataset that gives many items at once, and insists on a plain list of numbers."""

    def __init__(self) -> None:
        self.own = Own(LENGTHS)

    def __len__(self) -> int:
        return len(self.own)

    def __getitem__(self, index: int) -> Any:
        raise AssertionError("items are fetched together")

    def __getitems__(self, numbers: list[int]) -> list[Any]:
        assert type(numbers) is list
        assert all(type(number) is int for number in numbers)
        return [self.own[number] for number in numbers]


@pytest.mark.parametrize(
    "dataset",
    [
        Together(),
        Subset(Own([3, *LENGTHS]), range(1, len(LENGTHS) + 1)),
        ConcatDataset([Own(LENGTHS[:9]), Own(LENGTHS[9:])]),
        [Own(LENGTHS)[index] for index in range(len(LENGTHS))],
    ],
    ids=["together", "subset", "concatenated", "list"],
)
def test_any_dataset_that_takes_numbers_will_do(dataset: Any) -> None:
    found = loader_of(BatchSampler(LENGTHS, ds.Packed(sequences=5)), dataset)
    wanted = [dataset[number] if not isinstance(dataset, Together) else dataset.own[number] for number in range(23)]
    seqs = ds.Sequences.from_arrays(
        {"x": [item["x"] for item in wanted]}, {"weight": [item["weight"] for item in wanted]}
    )
    for ours, theirs in zip(found, batches(ds.Loader(seqs, ds.Packed(sequences=5))), strict=True):
        assert torch.equal(ours["x"], theirs["x"])
        assert torch.equal(ours["weight"], theirs["weight"])


class Frame(Dataset[Any]):
    def __init__(self) -> None:
        self.frame = pd.DataFrame({"text": ["ab", "c"], "y": [3, 4]})

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Any:
        row = self.frame.iloc[index]
        return [ord(letter) for letter in row["text"]], row["y"]


class Labelled(NamedTuple):
    signal: list[int]
    label: int


def test_tuples_and_single_fields_take_their_names_in_order() -> None:
    layout = ds.Padded(2, order="given")
    (batch,) = loader_of(BatchSampler([2, 1], layout), Frame())
    assert batch["x"].tolist() == [[97, 98], [99, 0]]
    assert batch["y"].tolist() == [3, 4]
    (batch,) = loader_of(BatchSampler([3, 3], layout), TensorDataset(torch.arange(6.0).reshape(2, 3)))
    assert batch["x"].tolist() == [[0, 1, 2], [3, 4, 5]]
    (batch,) = loader_of(BatchSampler([2, 1], layout), [[1.0, 2.0], [3.0]])
    assert batch["x"].tolist() == [[1, 2], [3, 0]]
    triples = [([1, 2], [5, 6], 9), ([3], [7, 8], 9)]
    collate = Collate(names=("a", "b", "c"), per_step=["a"])
    (batch,) = DataLoader(Placed(triples), batch_sampler=BatchSampler([2, 1], layout), collate_fn=collate)
    assert batch["a"].tolist() == [[1, 2], [3, 0]]
    assert batch["b"].tolist() == [[5, 6], [7, 8]]
    assert batch["c"].tolist() == [9, 9]
    (batch,) = loader_of(BatchSampler([2, 1], layout), [Labelled([1, 2], 5), Labelled([3], 6)])
    assert batch["signal"].tolist() == [[1, 2], [3, 0]]
    assert batch["label"].tolist() == [5, 6]


def test_without_places_it_is_a_batch_sampler_like_any_other() -> None:
    sampler = BatchSampler([3, 1, 2], ds.Padded(2, order="given"))
    plain = DataLoader(["a", "b", "c"], batch_sampler=sampler, collate_fn="".join)  # type: ignore[arg-type]
    assert list(plain) == ["ab", "c"]
    assert isinstance(sampler, torch.utils.data.Sampler)


def numbers(found: Any) -> list[list[int]]:
    return [list(places) for places in found]


def test_each_pass_is_the_next_epoch() -> None:
    layout = LAYOUTS["padded"]
    sampler = BatchSampler(LENGTHS, layout, seed=3)
    first, second = numbers(sampler), numbers(sampler)
    assert first != second
    assert sampler.epoch == 2
    sampler.set_epoch(1)
    assert numbers(sampler) == second
    assert len(sampler) == layout.plan(LENGTHS, 3, 2).num_batches


def test_saved_at_every_batch_and_restored_the_rest_is_equal() -> None:
    sampler = BatchSampler(LENGTHS, LAYOUTS["packed"], seed=3)
    sampler.set_epoch(4)
    states, rest = [sampler.state_dict()], []
    for places in sampler:
        rest.append(list(places))
        states.append(json.loads(json.dumps(sampler.state_dict())))
    after = numbers(sampler)
    for taken, state in enumerate(states):
        other = BatchSampler(LENGTHS, LAYOUTS["packed"], seed=3)
        other.load_state_dict(state)
        assert other.state_dict() == state
        other.set_epoch(4)  # as a training loop does at the start of each epoch
        assert [places["n"].shape for places in loader_of(other, Own(LENGTHS))] == [
            other.layout.plan(LENGTHS, 3, 4).shape(batch) for batch in range(taken, len(rest))
        ]
        other.load_state_dict(state)
        assert numbers(other) == rest[taken:]
        assert numbers(other) == after


def test_a_pass_that_was_left_starts_again_and_no_longer_counts() -> None:
    sampler = BatchSampler(LENGTHS, LAYOUTS["padded"])
    whole = numbers(sampler)
    sampler.set_epoch(0)
    left = iter(sampler)
    next(left)
    next(left)
    assert (sampler.epoch, sampler.state_dict()["batches"]) == (0, 2)
    new = iter(sampler)
    assert sampler.state_dict()["batches"] == 0
    assert [list(next(new)), *map(list, left)] == [whole[0], *whole[2:]]
    assert (sampler.epoch, sampler.state_dict()["batches"]) == (0, 1)
    assert numbers(new) == whole[1:]
    assert sampler.epoch == 1
    passing = iter(sampler)
    next(passing)
    sampler.set_epoch(7)
    numbers(passing)
    assert (sampler.epoch, sampler.state_dict()["batches"]) == (7, 0)


def test_a_loaded_position_serves_one_pass() -> None:
    sampler = BatchSampler(LENGTHS, LAYOUTS["padded"])
    whole = numbers(sampler)
    sampler.load_state_dict(sampler.state_dict() | {"epoch": 0, "batches": 2})
    iter(sampler)
    assert list(next(iter(sampler))) == whole[2]
    assert numbers(sampler) == whole


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (BatchSampler(LENGTHS, ds.Padded(5)), r"Padded\(batch_size=5\); expected Padded\(batch_size=4\)"),
        (BatchSampler(LENGTHS, ds.Padded(4), seed=9), "seed 9; expected seed 0"),
        (
            BatchSampler(LENGTHS + 1, ds.Padded(4)),
            f"{len(LENGTHS)} sequences with {LENGTHS.sum() + len(LENGTHS)} steps",
        ),
    ],
)
def test_a_position_of_another_sampler_is_refused(other: BatchSampler, words: str) -> None:
    with pytest.raises(ds.DataError, match=f"the saved position is of {words}"):
        BatchSampler(LENGTHS, ds.Padded(4)).load_state_dict(other.state_dict())


@pytest.mark.parametrize("damage", [{"batches": "3"}, {"epoch": None}, {"epoch": 7, "batches": 99}, {"version": 0}])
def test_damaged_positions_change_nothing(damage: dict[str, Any]) -> None:
    sampler = BatchSampler(LENGTHS, ds.Padded(4))
    next(iter(sampler))
    before = sampler.state_dict()
    with pytest.raises(ds.DataError, match="saved position"):
        sampler.load_state_dict(before | damage)
    assert sampler.state_dict() == before


def test_bad_arguments_are_refused_before_any_item_is_read() -> None:
    with pytest.raises(ds.LayoutError, match=r"lengths\[1\] is 9"):
        BatchSampler([1, 9], ds.Packed(rows=2, steps=8))
    with pytest.raises(ds.DataError, match=r"lengths\[0\] is 0"):
        BatchSampler([0, 9], ds.Padded(2))
    with pytest.raises(ds.LayoutError, match="epoch must be a whole number"):
        BatchSampler([1, 9], ds.Padded(2)).set_epoch(-1)


class Stream(torch.utils.data.IterableDataset[Any]):
    def __iter__(self) -> Any:
        return iter([])


def test_parts_that_miss_each_other_say_so() -> None:
    sampler = BatchSampler([2, 1], ds.Padded(2, order="given"))
    with pytest.raises(ds.DataError, match="collate_fn=Collate"):
        list(DataLoader(Placed([[1, 2], [3]]), batch_sampler=sampler))  # type: ignore[arg-type]
    with pytest.raises(ds.DataError, match=r"DataLoader\(Placed\(dataset\)"):
        list(DataLoader([[1, 2], [3]], batch_sampler=sampler, collate_fn=Collate()))  # type: ignore[arg-type]
    with pytest.raises(ds.DataError, match=r"batch_sampler=BatchSampler"):
        list(DataLoader(Placed([[1, 2], [3]]), batch_size=2, collate_fn=Collate()))
    inner = Subset(Placed([[1, 2], [3]]), [0, 1])
    with pytest.raises(ds.DataError, match="not inside a Subset"):
        list(DataLoader(inner, batch_sampler=sampler, collate_fn=Collate()))
    with pytest.raises(ds.DataError, match="dataset has 3 items; the BatchSampler was made with 2 lengths"):
        list(loader_of(BatchSampler([2, 1], ds.Padded(2)), [[1, 2], [3], [4]]))
    for bad in (Stream(), 3):
        with pytest.raises(ds.DataError, match="map-style"):
            Placed(bad)


@pytest.mark.parametrize(
    ("items", "options", "words"),
    [
        ([[1, 2], [3, 4]], {}, r"item 1 has 2 steps in field 'x'; planned from lengths\[1\] are 1. If it has one value"),
        ([[1, 2], [3, 4]], {"per_step": "x"}, r"item 1 has 2 steps in field 'x'; planned from lengths\[1\] are 1\.$"),
        ([([1, 2], 0), (3, 0)], {"per_step": "x"}, "item 1 has no steps in field 'x'"),
        ([([1, 2], 0), ([3],)], {}, "item 1 has the fields x; item 0 has x, y"),
        ([([1, 2], 0, 0), ([3], 0, 0)], {}, "item 0 is a tuple of 3 fields, but only 2 have names: x, y"),
        ([(1, 2), (3, 4)], {}, "item 0 has no field with a value a step; its fields are: x, y"),
        ([([1, 2], 0), ([3], 0)], {"per_step": ["z"]}, "per_step names 'z'; the fields of item 0 are: x, y"),
        ([([1, 2], 0), ([3], "a")], {}, r"field 'y': item 1 holds text of shape \(\), and item 0 numbers of shape"),
        ([[[1], [2]], [[3, 4]]], {}, r"field 'x': item 1 holds numbers of shape \(2,\), and item 0 .* \(1,\)"),
        ([[1, 2], torch.ones(1, dtype=torch.bfloat16)], {}, "item 1: field 'x' cannot be read as an array"),
        ([[1, 2], [[3, 4], 5]], {}, "item 1: field 'x' cannot be read as an array"),
        ([[1, 2], [object()]], {}, "field 'x'"),
    ],
)  # fmt: skip
def test_items_that_do_not_fit_are_named(items: list[Any], options: dict[str, Any], words: str) -> None:
    loader = DataLoader(
        Placed(items),
        batch_sampler=BatchSampler([2, 1], ds.Padded(2, order="given")),
        collate_fn=Collate(**options),
    )
    with pytest.raises(ds.DataError, match=words):
        next(iter(loader))


def test_at_least_one_name_is_needed() -> None:
    with pytest.raises(ds.DataError, match="names is empty"):
        Collate(names=())


def test_pinned_memory_takes_every_tensor_along(monkeypatch: pytest.MonkeyPatch) -> None:
    (batch,) = loader_of(BatchSampler(LENGTHS, ds.Padded(40)), Own(LENGTHS))
    pinned: list[Any] = []

    def pin(tensor: torch.Tensor) -> torch.Tensor:
        pinned.append(tensor.clone())
        return pinned[-1]

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    found = torch.utils.data._utils.pin_memory.pin_memory(batch)
    assert isinstance(found, TensorBatch)
    assert_equal(found, batch)
    kept = [found[name] for name in ("x", "n")] + [found.fields[name] for name in ("y", "weight")]
    kept += [
        found.valid,
        found.reset,
        found.scored,
        found.sequence,
        *(getattr(found.ends, n) for n in ("row", "step", "sequence")),
    ]
    assert {id(tensor) for tensor in kept} == {id(tensor) for tensor in pinned}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="memory is pinned for a GPU")
def test_pinned_batches_move_to_the_gpu() -> None:
    layout = ds.Packed(sequences=5)
    loader = loader_of(BatchSampler(LENGTHS, layout), Own(LENGTHS), num_workers=1, pin_memory=True)
    for found, expected in zip(loader, batches(ds.Loader(sequences(LENGTHS), layout)), strict=True):
        assert found["x"].is_pinned()
        assert found.valid.is_pinned()
        moved = found.to("cuda", non_blocking=True)
        assert moved["x"].is_cuda
        assert_equal(moved.to("cpu"), expected)


def test_batches_move_to_a_device() -> None:
    (batch,) = loader_of(BatchSampler(LENGTHS, ds.Padded(40)), Own(LENGTHS))
    moved = batch.to("meta")
    assert {moved["x"].device.type, moved.sequence.device.type, moved.ends.row.device.type} == {"meta"}
    assert moved.host is batch.host
    np.testing.assert_array_equal(moved["word"], batch["word"])


def test_layouts_that_look_at_times_are_refused() -> None:
    with pytest.raises(ds.LayoutError, match="use a drystone.Loader"):
        BatchSampler([3, 2], ds.Stateful(None, 4, align="day"))


@given(strategies.lengths, strategies.layouts, st.integers(1, 4), st.data())
def test_batches_of_a_rank_are_those_of_its_loader(lengths: Any, layout: Layout, num_ranks: int, data: Any) -> None:
    rank = data.draw(st.integers(0, num_ranks - 1))
    sampler = BatchSampler(lengths, layout, 3, rank=rank, num_ranks=num_ranks)
    expected = ds.Loader(sequences(lengths), layout, 3, rank=rank, num_ranks=num_ranks)
    for ours, theirs in zip(loader_of(sampler, Own(lengths)), batches(expected), strict=True):
        assert_equal(ours, theirs)
    assert sampler.state_dict() == expected.state_dict()


def test_a_rank_that_cannot_be_is_refused() -> None:
    with pytest.raises(ds.PlanError, match="BatchSampler: rank must be one of"):
        BatchSampler([2, 3], ds.Padded(2), rank=2, num_ranks=2)
