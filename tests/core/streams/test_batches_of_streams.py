"""Batches of a stream: every sequence once, in an order that can be repeated, from a buffer that is bounded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drystone as ds
from drystone import Batch, Bucketed, Layout, Loader, Packed, Padded, Stateful, Stream
from drystone.testing import check_resume
from tests.contract import strategies
from tests.contract.oracle import Span, broken_rule, masks
from tests.core.streams.sources import Tape, chunks, examples

buffers = st.integers(1, 12)
waits = st.one_of(st.none(), st.integers(1, 20))


def check_values(batch: Batch) -> None:
    """Every cell and end holds what the source gave under this number."""
    at = batch.valid
    step = np.concatenate(
        [np.arange(start, start + length) for start, length in zip(batch.spans.offset, batch.spans.length, strict=True)]
    )
    np.testing.assert_array_equal(batch["x"][at], np.stack([1000 * batch.sequence[at] + step, step], axis=1))
    assert batch["token"][at].tolist() == [f"t{number}" for number in step]
    assert not batch["x"][~at].any()
    np.testing.assert_array_equal(batch["y"], batch.ends.sequence)
    assert batch["name"].tolist() == [f"n{number}" for number in batch.ends.sequence]


def spans_of(batches: list[Batch]) -> list[Span]:
    return [
        Span(number, *(int(value) for value in values))
        for number, batch in enumerate(batches)
        for values in zip(
            *(getattr(batch.spans, name) for name in ("row", "start", "sequence", "offset", "length")), strict=True
        )
    ]


def masks_agree(batch: Batch, spans: list[Span]) -> bool:
    expected = masks(spans, *batch.shape)
    return all(np.array_equal(*pair) for pair in zip(expected, (batch.valid, batch.reset, batch.sequence), strict=True))


@given(
    strategies.lengths, strategies.layouts, strategies.seeds, buffers, waits, st.lists(st.integers(1, 7), min_size=1)
)
def test_an_epoch_of_a_stream_keeps_every_rule_of_a_plan(
    lengths: np.ndarray[Any, Any], layout: Any, seed: int, buffer: int, wait: int | None, sizes: list[int]
) -> None:
    for source in (examples(lengths), chunks(lengths, sizes)):
        loader = Loader(Stream(source, buffer=buffer, longest_wait=wait), layout, seed, read_ahead=0)
        for _ in range(2):
            batches = list(loader)
            spans = spans_of(batches)
            assert loader.dropped is not None
            columns = loader.dropped.to_pydict()
            dropped = list(zip(columns["sequence"], columns["offset"], columns["length"], strict=True))
            assert broken_rule(lengths, spans, [batch.shape for batch in batches], dropped) == ""
            for number, batch in enumerate(batches):
                check_values(batch)
                assert masks_agree(batch, [span for span in spans if span.batch == number])
            if layout.remainder == "keep":
                assert dropped == []
            if layout.carries:
                assert {batch.shape[0] for batch in batches} <= {layout.rows}
        assert loader.epoch == 2


@given(strategies.lengths, strategies.layouts, strategies.seeds)
def test_a_source_that_fits_into_the_buffer_gives_the_batches_of_its_sequences(
    lengths: np.ndarray[Any, Any], layout: Layout, seed: int
) -> None:
    (seqs,) = chunks(lengths, [len(lengths)])
    stream = Loader(Stream(examples(lengths), buffer=len(lengths) + 1), layout, seed, read_ahead=0)
    whole = Loader(seqs, layout, seed, read_ahead=0)
    for _ in range(2):
        for here, there in zip(stream, whole, strict=True):
            rows = there.shape[0]
            np.testing.assert_array_equal(here.sequence[:rows], there.sequence)
            np.testing.assert_array_equal(here["x"][:rows], there["x"])
            assert not here.valid[rows:].any()
            np.testing.assert_array_equal(here["name"], there["name"])


@given(strategies.lengths, strategies.layouts, buffers, waits, st.sampled_from([1, 3]))
def test_reading_ahead_and_reading_again_change_nothing(
    lengths: np.ndarray[Any, Any], layout: Layout, buffer: int, wait: int | None, read_ahead: int
) -> None:
    def passes(depth: int) -> list[list[bytes]]:
        loader = Loader(Stream(examples(lengths), buffer=buffer, longest_wait=wait), layout, 5, read_ahead=depth)
        return [[batch.sequence.tobytes() for batch in loader] for _ in range(3)]

    assert passes(0) == passes(read_ahead)


def test_windows_and_epochs_have_random_orders_of_their_own() -> None:
    loader = Loader(Stream(examples([1] * 64), buffer=16), Padded(16), seed=1)
    orders = [tuple(batch.ends.sequence % 16) for _ in range(2) for batch in loader]
    assert len(set(orders)) == len(orders) == 8


def test_the_given_order_is_that_of_the_source() -> None:
    loader = Loader(Stream(examples([2, 1, 3] * 10), buffer=7), Padded(4, order="given"))
    assert [number for batch in loader for number in batch.ends.sequence] == list(range(30))


@given(strategies.lengths, strategies.layouts, buffers, waits, st.integers(1, 4), st.sampled_from([0, 0, 2]))
def test_no_more_is_read_than_two_windows_and_the_batches_read_ahead(
    lengths: np.ndarray[Any, Any], layout: Layout, buffer: int, wait: int | None, size: int, read_ahead: int
) -> None:
    source = Tape(chunks(lengths, [size]))
    loader = Loader(Stream(source, buffer=buffer, longest_wait=wait), layout, read_ahead=read_ahead)
    read, delivered = [], [0]
    for batch in loader:
        read.append(source.num_read * size)
        delivered.append(delivered[-1] + len(batch.ends))
        assert len(loader.state_dict()["window"]["numbers"]) < buffer + size
    for number, count in enumerate(read):
        made = delivered[min(number + 1 + (read_ahead and read_ahead + 1), len(delivered) - 1)]
        assert count - made < 2 * (buffer + size)


@given(strategies.lengths, strategies.layouts, buffers, st.integers(1, 10))
def test_no_sequence_waits_longer_than_it_may(
    lengths: np.ndarray[Any, Any], layout: Layout, buffer: int, wait: int
) -> None:
    source = Tape(examples(lengths))
    for batch in Loader(Stream(source, buffer=buffer, longest_wait=wait), layout, read_ahead=0):
        begun = batch.spans.sequence[batch.spans.is_first]
        assert source.num_read - begun.min(initial=len(lengths)) <= wait + 2 * buffer


def test_tapes_go_on_from_window_to_window() -> None:
    lengths = [50, 3, 3, 4, 2, 60, 3, 5, 7, 2, 3, 4]
    loader = Loader(Stream(examples(lengths), buffer=3), Stateful(rows=2, steps=5, order="given"), read_ahead=0)
    state = np.full(2, -1.0)
    for batch in loader:
        for row, step in np.ndindex(*batch.shape):
            if batch.reset[row, step]:
                state[row] = -1
            if batch.valid[row, step]:
                state[row] += 1
                assert batch["x"][row, step, 1] == state[row]
    assert loader.dropped is not None
    assert loader.dropped.num_rows == 0


def test_a_rare_length_waits_for_the_end_only_where_nothing_is_said() -> None:
    layout = Bucketed(boundaries=(10,), batch_size=(4, 4))

    def place_of_the_long_one(wait: int | None) -> int:
        stream = Stream(examples([30, *[3] * 399]), buffer=16, longest_wait=wait)
        return next(number for number, batch in enumerate(Loader(stream, layout)) if 0 in batch.ends.sequence)

    assert place_of_the_long_one(None) >= 99
    assert place_of_the_long_one(40) == 40 // 4 + 2


def test_a_buffer_too_small_for_one_batch_gives_smaller_ones() -> None:
    loader = Loader(Stream(examples([2] * 10), buffer=3), Padded(5))
    assert [len(batch.ends) for batch in loader] == [3, 3, 3, 1]


def test_a_generator_function_is_called_anew_each_epoch() -> None:
    def source() -> Iterator[dict[str, Any]]:
        yield from examples([3, 1, 2])

    loader = Loader(Stream(source, buffer=2), Padded(2), read_ahead=1)
    for _ in range(3):
        assert sorted(number for batch in loader for number in batch.ends.sequence) == [0, 1, 2]


def test_one_item_and_chosen_fields() -> None:
    loader = Loader(Stream(examples([3])), Padded(4), fields=["x"])
    (batch,) = loader
    assert batch.field_names == ("x",)
    assert batch.shape == (1, 3)


def test_fields_with_steps_can_be_named() -> None:
    items = [{"x": [1.0, 2.0], "store": [5, 6]}, {"x": [3.0], "store": [7, 8]}]
    (batch,) = Loader(Stream(items, per_step="x"), Padded(2, order="given"))
    assert batch["store"].tolist() == [[5, 6], [7, 8]]
    assert batch["x"].tolist() == [[1.0, 2.0], [3.0, 0.0]]


def test_whole_numbers_become_the_first_items_numbers() -> None:
    items = [{"x": np.ones(1, np.float32)}, {"x": [2, 3]}]
    (batch,) = Loader(Stream(items), Padded(2, order="given"))
    assert batch["x"].dtype == np.float32
    assert batch["x"].tolist() == [[1.0, 0.0], [2.0, 3.0]]


def test_a_parquet_file_larger_than_the_buffer_is_read_by_record_batches(tmp_path: Path) -> None:
    lengths = np.random.default_rng(0).integers(1, 9, 500)
    (seqs,) = chunks(lengths, [500])
    pq.write_table(seqs.to_arrow(), tmp_path / "events.parquet", row_group_size=100)

    def source() -> Iterator[ds.Sequences]:
        for part in pa.dataset.dataset(tmp_path / "events.parquet").to_batches(batch_size=40):
            yield ds.read(part)

    loader = Loader(Stream(source, buffer=100), Packed(4, 16), seed=2)
    found = []
    for batch in loader:
        check_values(batch)
        found += batch.ends.sequence.tolist()
    assert sorted(found) == list(range(500))
    assert found != sorted(found)


def test_a_long_sequence_under_way_makes_no_batch_incomplete() -> None:
    stream = Stream(examples([400, *[4] * 100]), buffer=8, longest_wait=10)
    batches = list(Loader(stream, Stateful(rows=2, steps=5, order="given")))
    assert len(batches) == 80
    assert all(batch.valid.all() for batch in batches)


def cells_of(loader: Loader) -> dict[tuple[int, int], Any]:
    """What each step of each sequence comes with."""
    found = {}
    for batch in loader:
        for span in range(len(batch.spans)):
            row, start, sequence, offset = (
                int(getattr(batch.spans, name)[span]) for name in ("row", "start", "sequence", "offset")
            )
            for step in range(int(batch.spans.length[span])):
                cell = row, start + step
                found[sequence, offset + step] = [batch[name][cell].tolist() for name in ("x", "next")]
                found[sequence, offset + step].append(bool(batch.scored[cell]))
    return found


@pytest.mark.parametrize("layout", [Padded(2), Packed(2, 12), Stateful(2, 5), Packed(2, 4, long="stateful")])
def test_views_keep_their_targets_and_what_is_scored(layout: Layout) -> None:
    seqs = ds.Sequences.from_arrays({"x": [np.arange(length) + 100.0 for length in (9, 4, 7, 12, 3, 8)]})
    view = seqs.ahead("x", range(1, 3), name="next").cut(2, lead=1)
    expected = cells_of(Loader(view, layout))
    assert {scored for _, _, scored in expected.values()} == {True, False}
    items = [view[start : start + 2] for start in range(0, len(view), 2)]

    def loader() -> Loader:
        return Loader(Stream(items, buffer=4), layout)

    assert cells_of(loader()) == expected
    check_resume(loader)


def test_what_a_stream_cannot_say_is_said_in_words() -> None:
    loader = Loader(Stream(examples([1, 2])), Padded(2))
    with pytest.raises(ds.StreamError, match="no known number of batches"):
        len(loader)
    with pytest.raises(ds.StreamError, match="no plan of a whole epoch"):
        _ = loader.plan
    with pytest.raises(ds.StreamError, match="no sequences to look at"):
        _ = loader.seqs
    assert len(list(loader)) == 1
