"""How much each answer counts in training, so that a rare one is not drowned by the others."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.errors import ConfigError
from drystone.train.tasks.outputs.outputs import Outputs

BALANCED = "balanced"
MAX_NAMES_SHOWN = 20

Weights = npt.NDArray[np.float64]
"""[answers, values] the weight of each value that an answer can have."""


def weights_of(outputs: Outputs, target: str, asked: str | Mapping[str, float], targets: npt.NDArray[Any]) -> Weights:
    """Returns how much each answer counts.

    Balanced, an answer counts n ÷ (values × count): the values that occur weigh the same in sum, and the weights are 1 on
    average.

    Args:
        outputs: classes or yes/no.
        target: the field.
        asked: "balanced", or weights by the names of classes, or of answers whose yes they are for; 1 of all others.
        targets: [items, *target_shape], encoded; of the training part.

    Raises:
        ConfigError: there is no such class or answer, or the outputs are numbers.
    """
    choices = outputs.choices(target)
    if not choices:
        raise ConfigError(
            f"class_weights is given, and target {target!r} is {outputs}, which have no classes. Leave it out."
        )
    num_answers, num_values = (max(axis) + 1 for axis in zip(*choices.values(), strict=True))
    if asked == BALANCED:
        return _balanced(targets.reshape(len(targets), num_answers), num_values)
    assert not isinstance(asked, str)
    weights = np.ones((num_answers, num_values))
    for name, weight in asked.items():
        if name not in choices:
            known = ", ".join(list(choices)[:MAX_NAMES_SHOWN])
            more = ", ..." if len(choices) > MAX_NAMES_SHOWN else ""
            raise ConfigError(f"class_weights names {name!r}, which {target!r} does not have; it has: {known}{more}.")
        weights[choices[name]] = weight
    return weights


def weighed(weights: Weights, targets: npt.NDArray[Any]) -> Weights:
    """Returns the weight of each answer of each item, [items, answers]; that of an item is their mean.

    Args:
        weights: by answer and value.
        targets: [items, *target_shape], encoded.
    """
    answers = np.arange(len(weights))
    return weights[answers, targets.reshape(len(targets), len(answers)).astype(np.int64)]


def _balanced(targets: npt.NDArray[Any], num_values: int) -> Weights:
    count = np.stack([(targets == value).sum(axis=0) for value in range(num_values)], axis=1)
    num_present = (count > 0).sum(axis=1, keepdims=True)
    return np.where(count > 0, len(targets) / (num_present * np.maximum(count, 1)), 0.0)
