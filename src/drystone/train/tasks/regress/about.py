"""Regression, as settings and lists of runs know it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from drystone.train.tasks.about import FIGURES_OF_NUMBERS, About

DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "layout": "padded",
        "bidirectional": True,
        "pooling": "mean",
        "head_dropout": 0.0,
        "noise": 0.0,
        "max_steps": None,
        "split": "random",
        "group": None,
    }
)

REGRESS = About(
    name="regress",
    figures=FIGURES_OF_NUMBERS,
    layouts=("padded", "bucketed", "packed"),
    defaults=lambda _: DEFAULTS,
    check=lambda _: None,
)
