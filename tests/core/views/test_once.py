"""What is scored once, what is left out or repeated and counted, and that parts share no target."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from drystone import DataError, Sequences
from tests.core.views import plain as by_hand
from tests.core.views.plain import Plain, Run
from tests.core.views.strategies import contexts, lengths, numbered, offsets, viewed

TIMES = np.datetime64("2020-01-01T00", "h")


def scored(seqs: Sequences) -> Counter[int]:
    """How often each value of "x" is scored."""
    first, stop = seqs.scored_steps()
    values = [found["x"][first[number] : stop[number]] for number, found in enumerate(seqs)]
    return Counter(np.concatenate(values).tolist() if values else [])


@given(viewed(), st.integers(1, 5), st.integers(0, 6))
def test_cutting_scores_each_step_as_often_as_before(made: tuple[Sequences, Plain], parts: int, lead: int) -> None:
    seqs, _ = made
    cut = seqs.cut(parts, lead)
    assert scored(cut) == scored(seqs)
    assert len(cut) <= parts * len(seqs)


@given(lengths, st.integers(1, 20))
def test_parts_of_a_cut_differ_by_one_step_and_join_again_without_a_copy(found: list[int], parts: int) -> None:
    seqs, _ = numbered(found)
    cut = seqs.cut(parts)
    for number, length in enumerate(found):
        pieces = cut.lengths[cut.source == number]
        assert len(pieces) == min(parts, length)
        assert pieces.max() - pieces.min() <= 1
    joined = cut.join(by="number")
    assert joined.lengths.tolist() == found
    assert joined.bounds is None
    assert np.shares_memory(joined.field("x").values, seqs.field("x").values)


@given(lengths, st.sampled_from([(0.5, 0.5), (0.7, 0.15, 0.15), (1 / 3, 1 / 3, 1 / 3)]), contexts)
def test_parts_of_a_split_score_each_step_exactly_once(found: list[int], fractions: Any, context: Any) -> None:
    seqs, _ = numbered([length + 10 for length in found])
    parts = seqs.split_by_time(fractions=fractions, context=context)
    assert sum((scored(part) for part in parts), Counter[int]()) == scored(seqs)


@given(lengths, offsets, st.integers(1, 13), st.integers(1, 13), contexts, st.data())
def test_parts_of_a_split_share_no_target(
    found: list[int], ahead: tuple[int, ...], one: int, two: int, context: Any, data: st.DataObject
) -> None:
    """Also not where windows of a part look past their ends: every target lies in its part's own time."""
    assume(one != two)
    seqs = numbered_in_time(found)
    at = [TIMES + np.timedelta64(step, "h") for step in sorted((one, two))]
    before = data.draw(st.booleans())
    made = seqs.ahead("time", ahead) if before else seqs
    try:
        parts = made.split_by_time(at=at, context=context)
    except DataError:
        assume(False)
    begins = [np.datetime64("1900", "h"), *at, np.datetime64("2100", "h")]
    for number, part in enumerate(parts if before else [part.ahead("time", ahead) for part in parts]):
        horizon = data.draw(st.sampled_from([0, max(ahead)]))
        windows = part.windows(data.draw(st.integers(1, 4)), data.draw(st.integers(1, 3)), horizon)
        first, stop = windows.scored_steps()
        targets = [found["time_ahead"][first[k] : stop[k]] for k, found in enumerate(windows)]
        for times in targets:
            assert ((times >= begins[number]) & (times < begins[number + 1])).all()


def numbered_in_time(found: list[int]) -> Sequences:
    times = [TIMES + np.arange(length).astype("m8[h]") for length in found]
    made = Sequences.from_arrays({"x": Plain.of(found).lists, "time": times}, {"number": list(range(len(found)))})
    return replace(made, order_by="time")


def test_the_first_window_of_a_part_predicts_its_first_step() -> None:
    seqs, _ = numbered([100])
    train, test = seqs.ahead("x", range(1, 4)).split_by_time(fractions=(0.6, 0.4), context="before")
    for part in (test, seqs.ahead("x", range(1, 4)).split_by_time(fractions=(0.6, 0.4), context=24)[1]):
        windows = part.windows(24, stride=3, horizon=3)
        assert windows[0]["x"].tolist() == list(range(37, 61))
        assert windows[0]["x_ahead"][-1].tolist() == [61, 62, 63]
        assert (windows.scored_steps()[0] == 23).all()
        assert windows[-1]["x_ahead"][-1].tolist() == [97, 98, 99]
        assert windows.notes[-1].left_out_steps == 4  # the targets of the last window, and one step more
    last = train.windows(24, stride=1, horizon=3)[-1]
    assert last["x_ahead"][-1].tolist() == [58, 59, 60]


@given(viewed(), st.integers(1, 5), st.integers(1, 6), st.integers(0, 3))
def test_windows_count_what_they_leave_out_and_repeat(
    made: tuple[Sequences, Plain], steps: int, stride: int, horizon: int
) -> None:
    seqs, plain = made
    note = seqs.windows(steps, stride, horizon).notes[-1]
    covers = [covered(by_hand.windows(Plain(plain.lists, [run]), steps, stride, horizon)) for run in plain.runs]
    check_note(note, plain.runs, covers)
    assert note.left_out_sequences == sum(not cover for cover in covers)


@given(viewed(), st.integers(1, 5), st.integers(0, 6))
def test_cuts_count_what_they_repeat(made: tuple[Sequences, Plain], parts: int, lead: int) -> None:
    seqs, plain = made
    note = seqs.cut(parts, lead).notes[-1]
    check_note(note, plain.runs, [covered(by_hand.cut(Plain(plain.lists, [run]), parts, lead)) for run in plain.runs])


def covered(plain: Plain) -> Counter[int]:
    return Counter(step for run in plain.runs for step in range(run.start, run.stop))


def check_note(note: Any, runs: list[Run], covers: list[Counter[int]]) -> None:
    pairs = list(zip(runs, covers, strict=True))
    assert note.left_out_steps == sum(step not in cover for run, cover in pairs for step in run.counted)
    assert note.repeated_steps == sum(times > 1 for cover in covers for times in cover.values())


@given(lengths, st.integers(1, 10), st.sampled_from(["first", "last"]))
def test_truncating_counts_what_is_lost_and_looks_no_further(found: list[int], max_steps: int, keep: Any) -> None:
    seqs, _ = numbered(found)
    short = seqs.truncate(max_steps, keep)
    assert short.notes[-1].left_out_steps == sum(max(length - max_steps, 0) for length in found)
    kept = set(short.field("x").values.tolist())
    assert set(short.ahead("x", [1, 2]).field("x_ahead").values.reshape(-1).tolist()) <= kept | {0}


def test_a_split_counts_what_the_other_parts_hold() -> None:
    seqs, _ = numbered([10, 3])
    train, test = seqs.split_by_time(at=[7], field="x")
    assert (train.notes[-1].left_out_steps, train.notes[-1].left_out_sequences) == (7, 1)
    assert (test.notes[-1].left_out_steps, test.notes[-1].left_out_sequences) == (6, 0)
    assert train.source.tolist() == [0]
    assert test.source.tolist() == [0, 1]
