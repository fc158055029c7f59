"""The joint task, as settings and lists of runs know it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from drystone.train.tasks.about import About
from drystone.train.tasks.classify.about import CLASSIFY
from drystone.train.tasks.tag.about import FIGURES

CHUNK_F1 = "chunk_f1"
OF_STEPS = ("accuracy", "f1", "micro_f1", "frame_accuracy")
DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "layout": "padded",
        "bidirectional": True,
        "pooling": "mean",
        "head_dropout": 0.5,
        "noise": 0.0,
        "label_smoothing": 0.0,
        "bio": "count",
        "max_steps": None,
        "split": "random",
        "group": None,
    }
)


def step_figure(name: str) -> str:
    """Returns what a figure of steps is called beside those of sequences.

    >>> step_figure("accuracy"), step_figure("chunk_f1")
    ('tag_accuracy', 'chunk_f1')
    """
    return f"tag_{name}" if name in OF_STEPS else name


JOINT = About(
    name="joint",
    figures=MappingProxyType(
        {
            **{name: figure for name, figure in CLASSIFY.figures.items() if name != "loss"},
            CHUNK_F1: FIGURES[CHUNK_F1],
            **{step_figure(name): FIGURES[name] for name in OF_STEPS},
            "loss": FIGURES["loss"],
        }
    ),
    layouts=("padded", "bucketed", "packed"),
    defaults=lambda _: DEFAULTS,
    check=lambda _: None,
)
