"""The check of resuming finds each way in which a loader can go wrong."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from drystone.testing import check_resume


class Numbers:
    """Two epochs' worth of plain batches, with one fault."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.state: dict[str, Any] = {"epoch": 0, "batches": 0}
        self.restored = False

    def __iter__(self) -> Iterator[Any]:
        while self.state["batches"] < 4:
            number = self.state["batches"]
            self.state = {**self.state, "batches": number + 1} if self.fault != "shared" else self._shared(number + 1)
            yield self._batch(number)
        self.state = {"epoch": self.state["epoch"] + 1, "batches": 0}

    def _shared(self, batches: int) -> dict[str, Any]:
        self.state["batches"] = batches
        return self.state

    def _batch(self, number: int) -> Any:
        values = np.array([self.state["epoch"], number, np.nan])
        wrong = self.restored and number == 3
        if self.fault == "value" and wrong:
            values[1] = 7
        if self.fault == "type" and wrong:
            values = values.astype(np.float32)
        if self.fault == "field" and wrong:
            return {"z": values}
        return {"x": values, "mask": (values == values, "text")}

    def state_dict(self) -> dict[str, Any]:
        return self.state if self.fault == "shared" else dict(self.state)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.state, self.restored = dict(state), True
        if self.fault == "skips" and state["batches"] == 2:
            self.state["batches"] += 1
        if self.fault == "repeats" and state["batches"] == 4:
            self.state["batches"] -= 1
        if self.fault == "epoch" and state["batches"] == 1:
            self.state["epoch"] += 1


def test_a_loader_that_continues_exactly_passes() -> None:
    check_resume(Numbers)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("value", r"at first, this epoch: batch 3\['x'\]\[1\] is np.float64\(7.0\); expected np.float64\(3.0\)"),
        ("type", r"batch 3\['x'\] is float32 of shape \(3,\); expected float64"),
        ("field", r"batch 3\['mask'\]\[0\] is missing"),
        ("skips", r"after batch 1, this epoch: batch 2\['x'\]\[1\] is np.float64\(3.0\)"),
        ("repeats", "after batch 3, this epoch: there is a batch 4, past the last of 4"),
        ("epoch", r"after batch 0, this epoch: batch 1\['x'\]\[0\]"),
        ("shared", r"the state saved at first changed later on: state\['batches'\] is"),
    ],
)
def test_each_fault_is_found_and_named(fault: str, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check_resume(lambda: Numbers(fault))
