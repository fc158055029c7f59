"""Confusion matrices: counts and shares are those of a plain loop, and every size is drawn."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone.plots.confusion import MOST_CLASSES, MOST_WITH_COUNTS, MOST_WITH_SHARES, Confusion, _short
from tests.pictures import check_whole


def confusion_of(pairs: list[tuple[int, int]], classes: list[Any]) -> Confusion:
    found, count = np.unique(np.array(pairs).reshape(-1, 2), axis=0, return_counts=True)
    return Confusion(
        classes=classes, true=found[:, 0], predicted=found[:, 1], count=count, target="kind", title="title"
    )


@given(st.data(), st.integers(1, 70))
def test_the_matrix_is_that_of_a_plain_loop(data: st.DataObject, num_classes: int) -> None:
    number = st.integers(0, num_classes - 1)
    pairs = data.draw(st.lists(st.tuples(number, number), min_size=1, max_size=300))
    found = confusion_of(pairs, list(range(num_classes)))
    shown = found.shown.tolist()
    for row, true in enumerate(shown):
        num_true = sum(pair[0] == true for pair in pairs)
        for column, predicted in enumerate(shown):
            count = sum(pair == (true, predicted) for pair in pairs)
            assert found.matrix()[row, column] == count
            assert found.shares()[row, column] == pytest.approx(count / num_true if num_true else 0)


@given(st.data())
def test_of_many_classes_the_most_confused_are_shown(data: st.DataObject) -> None:
    number = st.integers(0, MOST_CLASSES + 20)
    pairs = data.draw(st.lists(st.tuples(number, number), min_size=1, max_size=200))
    errors = [sum(of in pair and pair[0] != pair[1] for pair in pairs) for of in range(MOST_CLASSES + 21)]
    shown = confusion_of(pairs, list(range(MOST_CLASSES + 21))).shown.tolist()
    assert shown == sorted(set(shown))
    assert sorted((errors[of] for of in shown), reverse=True) == sorted(errors, reverse=True)[:MOST_CLASSES]


@pytest.mark.parametrize(
    "num_classes",
    [2, MOST_WITH_SHARES, MOST_WITH_SHARES + 1, MOST_WITH_COUNTS, MOST_WITH_COUNTS + 1, MOST_CLASSES, 300],
)
def test_every_size_is_drawn(num_classes: int, tmp_path: Path) -> None:
    drawn = confusion_of([(k, k // 2) for k in range(num_classes)] * 2, [f"kind {k}" for k in range(num_classes)])
    drawn.save(tmp_path / "confusion.png")
    check_whole(tmp_path / "confusion.png")
    figure = drawn.figure()
    ax, title = figure.axes[0], figure.get_suptitle()
    assert ("most confused of 300 classes" in title) == (num_classes > MOST_CLASSES)
    cells = [text.get_text() for text in ax.texts]
    filled = np.count_nonzero(drawn.matrix())
    assert len(cells) == (filled if num_classes <= MOST_WITH_COUNTS else 0)
    assert all(("%" in text) == (num_classes <= MOST_WITH_SHARES) for text in cells)
    assert len(ax.get_xticklabels()) == len(ax.get_yticklabels()) == min(num_classes, MOST_CLASSES)


@pytest.mark.parametrize("classes", [[False, True], ["$5", "a_$x^"], ["東京", "_\n"], ["x" * 300, ""], [-1, 10**12]])
def test_names_are_shown_as_they_are(classes: list[Any], tmp_path: Path) -> None:
    confusion_of([(1, 1)], classes).save(tmp_path / "one.png")  # one class only
    check_whole(tmp_path / "one.png")


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (9999, "9999"), (10_000, "10k"), (123_456, "123k"), (4_560_000, "4.56M"), (10**9, "1G")],
)
def test_counts_fit_in_a_cell(count: int, text: str) -> None:
    assert _short(count) == text
