"""The figures of predicted numbers are right whatever the unit and the offset of the target."""

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch

from drystone.train.tasks.figures import metrics


def figures(predictions: np.ndarray[Any, Any], targets: np.ndarray[Any, Any], sizes: list[int]) -> dict[str, float]:
    num_numbers = 1 if targets.ndim == 1 else targets.shape[1]
    found = {name: deepcopy(metric).set_dtype(torch.float64) for name, metric in metrics(num_numbers).items()}
    pairs = zip(*(torch.from_numpy(values).split(sizes) for values in (predictions, targets)), strict=True)
    for left, right in pairs:
        for metric in found.values():
            metric.update(left, right)
    return {name: metric.compute().item() for name, metric in found.items()}


@pytest.mark.parametrize("unit", [1.0, 1e-300, 1e300, 3.7])
@pytest.mark.parametrize("offset", [0.0, 1e9, -1e9])
@pytest.mark.parametrize("sizes", [[1000], [1, 400, 2, 597]])
def test_no_offset_and_no_unit_spoils_them(unit: float, offset: float, sizes: list[int]) -> None:
    offset = offset if 1e-200 < unit < 1e200 else offset / 1e7
    rng = np.random.default_rng(0)
    targets = offset + rng.normal(size=1000)
    predictions = offset + 0.2 * rng.normal(size=1000)
    exact, said = targets.astype(np.longdouble), predictions.astype(np.longdouble)
    squares = ((exact - said) ** 2).sum()
    r2 = float(1 - squares / ((exact - exact.mean()) ** 2).sum())
    found = figures(predictions * unit, targets * unit, sizes)
    digits = 1e-9 if unit == 1.0 else 1e-6  # other units round the values themselves
    assert found["r2"] == pytest.approx(r2, abs=digits)
    assert found["rmse"] / unit == pytest.approx(float(np.sqrt(squares / 1000)), rel=digits)
    assert found["mae"] / unit == pytest.approx(float(np.abs(exact - said).mean()), rel=digits)


def test_equal_targets_and_single_ones() -> None:
    same = np.full(4, 1e9)
    assert figures(same, same, [4])["r2"] == 1
    assert figures(same + 1, same, [4])["r2"] == 0
    assert np.isnan(figures(same[:1], same[:1], [1])["r2"])
    assert figures(same * 0, same * 0, [2, 2]) == {"rmse": 0, "mae": 0, "r2": 1}


@pytest.mark.parametrize("sizes", [[300], [1, 100, 199]])
def test_of_vectors_r2_is_the_mean_over_their_numbers_and_the_others_over_all(sizes: list[int]) -> None:
    rng = np.random.default_rng(0)
    units = np.array([1.0, 1e6, 1e-150])
    targets = (rng.normal(size=(300, 3)) + np.array([0.0, 1e5, 0.0])) * units
    predictions = targets + [0.1, 0.5, 2.0] * rng.normal(size=(300, 3)) * units
    each = [figures(predictions[:, number], targets[:, number], sizes) for number in range(3)]
    found = figures(predictions, targets, sizes)
    assert found["r2"] == pytest.approx(np.mean([one["r2"] for one in each]))
    assert found["rmse"] == pytest.approx(np.sqrt(np.mean([one["rmse"] ** 2 for one in each])))
    assert found["mae"] == pytest.approx(np.mean([one["mae"] for one in each]))
