"""Runs land where they should, zeros between them, and what does not fit is refused before anything is written."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from drystone import native
from drystone.native import numpy_gather

Array = np.ndarray[Any, Any]
DTYPES = ["?", "u1", "i2", "f4", "i8", "f8", "M8[s]", "M8[ns]"]


@dataclass(frozen=True)
class Case:
    values: Array
    sources: Array
    targets: Array
    lengths: Array
    size: int

    def out(self) -> Array:
        """Memory that holds something already."""
        return np.ones((self.size, *self.values.shape[1:]), "u1").astype(self.values.dtype)


@st.composite
def cases(draw: Any) -> Case:
    dtype, shape = draw(st.sampled_from(DTYPES)), draw(st.sampled_from([(), (1,), (3,), (2, 5), (64,), (0,)]))
    num_values = draw(st.integers(0, 30))
    numbers = np.arange(1, num_values * int(np.prod(shape)) + 1)
    values = (numbers % 2 if dtype == "?" else numbers % 250).astype(dtype).reshape(num_values, *shape)
    values.setflags(write=draw(st.booleans()))
    sources, targets, lengths, end = [], [], [], 0
    for _ in range(draw(st.integers(0, 8))):
        lengths.append(draw(st.integers(0, num_values)))
        sources.append(draw(st.integers(0, num_values - lengths[-1])))
        targets.append(end + draw(st.integers(0, 3)))
        end = targets[-1] + lengths[-1]
    spans = (np.array(column, dtype=np.int64) for column in (sources, targets, lengths))
    return Case(values, *spans, size=end + draw(st.integers(0, 3)))


@given(cases())
def test_runs_are_copied_and_the_rest_is_zero(case: Case) -> None:
    expected = np.zeros((case.size, *case.values.shape[1:]), case.values.dtype)
    for source, target, length in zip(case.sources, case.targets, case.lengths, strict=True):
        expected[target : target + length] = case.values[source : source + length]
    for gather in (native.gather, numpy_gather.gather):
        out = case.out()
        gather(case.values, case.sources, case.targets, case.lengths, out)
        np.testing.assert_array_equal(out, expected)


@given(cases(), st.data())
def test_spans_that_do_not_fit_are_refused_alike(case: Case, data: Any) -> None:
    column = data.draw(st.sampled_from(["sources", "targets", "lengths"]))
    wrong = {name: getattr(case, name).copy() for name in ("sources", "targets", "lengths")}
    assume(len(wrong[column]))
    span = data.draw(st.integers(0, len(wrong[column]) - 1))
    wrong[column][span] = data.draw(st.sampled_from([-1, 2**63 - 1, -(2**63), *range(40)]))
    outs, words = [], []
    for gather in (native.gather, numpy_gather.gather):
        out = case.out()
        try:
            gather(case.values, *wrong.values(), out)
        except IndexError as error:
            words.append(str(error))
            np.testing.assert_array_equal(out, case.out())
        outs.append(out)
    np.testing.assert_array_equal(*outs)
    assert len(words) in (0, 2)
    assert len(set(words)) <= 1


@pytest.mark.parametrize("gather", [native.gather, numpy_gather.gather])
@pytest.mark.parametrize(
    ("spans", "words"),
    [
        (([0, 4], [0, 2], [2, 2]), "span 1 has 2 items from item 4 of values, which holds 5"),
        (([0, -1], [0, 2], [2, 2]), "span 1 has 2 items from item -1 of values"),
        (([0], [5], [2]), "span 0 has 2 items from item 5 of out, which holds 6"),
        (([0], [0], [-2]), "span 0 has -2 items from item 0 of values"),
        (([2**63 - 1], [0], [2]), "span 0 has 2 items from item 9223372036854775807 of values"),
        (([0, 0], [0, 1], [2, 2]), "span 1 starts at item 1 of out, before item 2, where the one before it ends"),
    ],
)
def test_the_span_that_does_not_fit_is_named(gather: Any, spans: Any, words: str) -> None:
    out = np.full(6, 9.0)
    with pytest.raises(IndexError, match=words):
        gather(np.arange(5.0), *(np.array(column) for column in spans), out)
    assert (out == 9.0).all()


def test_arrays_that_do_not_fit_together_are_refused() -> None:
    one = np.array([0])
    with pytest.raises(ValueError, match=r"float64 items of shape \(\) and out int64 items of shape \(2,\)"):
        native.gather(np.zeros(3), one, one, one, np.zeros((3, 2), int))
    with pytest.raises(ValueError, match="1 sources, 2 targets and 1 lengths"):
        native.gather(np.zeros(3), one, np.array([0, 1]), one, np.zeros(3))


def test_any_memory_will_do(tmp_path: Any) -> None:
    np.save(tmp_path / "x.npy", np.arange(24.0).reshape(8, 3))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    unaligned = np.frombuffer(b"?" + mapped.tobytes(), offset=1).reshape(8, 3)
    for values in (mapped, unaligned, np.asfortranarray(mapped), np.repeat(mapped, 2, axis=0)[::2]):
        for out in (np.ones((5, 3)), np.ones((3, 5)).T, np.ones((5, 6))[:, ::2]):
            native.gather(values, np.array([6, 1], "i4"), np.array([0, 3]), np.array([2, 1, 0])[:2], out)
            np.testing.assert_array_equal(out, [[18, 19, 20], [21, 22, 23], [0, 0, 0], [3, 4, 5], [0, 0, 0]])
