"""Tagging, as settings and lists of runs know it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from drystone.train.tasks.about import About, Figure

FIGURES = MappingProxyType(
    {
        "loss": Figure(form=".4f"),
        "accuracy": Figure(form=".3f", higher_is_better=True),
        "chunk_f1": Figure(form=".3f", higher_is_better=True),
        "frame_accuracy": Figure(form=".3f", higher_is_better=True),
        "f1": Figure(form=".3f", higher_is_better=True),
        "micro_f1": Figure(form=".3f", higher_is_better=True),
        "rmse": Figure(form=".5g"),
        "mae": Figure(form=".5g"),
        "r2": Figure(form=".4f", higher_is_better=True),
    }
)
"""Of which each kind of output has its own; the loss, which all have, is what a run is known by."""


def defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the settings that depend on the task; both directions are read where no step sees what it is to say."""
    reads_on = given.get("ahead") is None and given.get("layout") != "stateful"
    return {
        "layout": "padded",
        "bidirectional": reads_on,
        "head_dropout": 0.0,
        "noise": 0.0,
        "label_smoothing": 0.0,
        "class_weights": None,
        "ahead": None,
        "bio": "count",
        "split": "random",
        "group": None,
    }


def check(settings: Any) -> None:
    """Raises ValueError where settings contradict each other."""
    if settings.bidirectional and settings.ahead is not None:
        raise ValueError(
            f"bidirectional is on and ahead is {settings.ahead}: a backward direction would read what is to be said. Leave "
            f"out bidirectional."
        )
    if settings.bidirectional and settings.layout == "stateful":
        raise ValueError(
            "bidirectional is on and layout is 'stateful': a backward direction needs the end of a sequence, which may lie "
            "in a later batch. Leave out bidirectional, or take another layout."
        )


TAG = About(
    name="tag",
    figures=FIGURES,
    layouts=("padded", "bucketed", "packed", "stateful"),
    defaults=defaults,
    check=check,
)
