"""Classification, as settings and lists of runs know it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from drystone.train.tasks.about import About, Figure

DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "layout": "padded",
        "bidirectional": True,
        "pooling": "mean",
        "head_dropout": 0.5,
        "noise": 0.1,
        "label_smoothing": None,
        "class_weights": None,
        "max_steps": None,
        "split": "random",
        "group": None,
    }
)
LABEL_SMOOTHING = 0.1  # of classes; several labels at once are not smoothed, since most of them are rare

CLASSIFY = About(
    name="classify",
    figures=MappingProxyType(
        {
            "accuracy": Figure(form=".3f", higher_is_better=True),
            "f1": Figure(form=".3f", higher_is_better=True),
            "micro_f1": Figure(form=".3f", higher_is_better=True),
            "loss": Figure(form=".4f"),
        }
    ),
    layouts=("padded", "bucketed", "packed"),
    defaults=lambda _: DEFAULTS,
    check=lambda _: None,
)
