"""Settings of the training."""

from typing import Any, Literal

from pydantic import model_validator

from drystone.train.loop.rate import ScheduleName
from drystone.train.settings.class_weights import ClassWeights
from drystone.train.settings.setting import TRAINING, SomeSettings, setting

Precision = Literal["32-true", "64-true", "bf16-mixed", "16-mixed"]

NEED_VALIDATION = ("patience", "evaluate_every")
EPOCHS = 100  # where nobody chose a limit


class TrainingSettings(SomeSettings):
    """How, and how long, the model is trained."""

    epochs: int | None = setting(
        None, TRAINING, "the most passes over the training part; 100 unless updates or seconds are given", ge=1
    )
    updates: int | None = setting(None, TRAINING, "the most optimiser steps", rare=True, ge=1)
    seconds: float | None = setting(None, TRAINING, "the longest wall time", rare=True, gt=0)
    learning_rate: float = setting(0.005, TRAINING, "the highest, of AdamW", gt=0)
    schedule: ScheduleName = setting("one-cycle", TRAINING, "of the rate: one-cycle, cosine, constant", rare=True)
    warmup: float | None = setting(
        None, TRAINING, "share of the training in which the rate rises; 0.3, 0.05, 0 by schedule", rare=True, ge=0, lt=1
    )
    weight_decay: float = setting(0.01, TRAINING, "of AdamW", rare=True, ge=0)
    gradient_clip: float = setting(1.0, TRAINING, "the largest norm of a gradient; 0 for any", rare=True, ge=0)
    unknown_rate: float = setting(
        0.5,
        TRAINING,
        "text: share of words seen once that are read as unknown, so that it is learned",
        rare=True,
        ge=0,
        le=1,
    )
    label_smoothing: float | None = setting(
        None,
        TRAINING,
        "classify, tag, joint, language-model: share of each target spread over all classes; classify: 0.1, of several labels 0; else 0",
        rare=True,
        ge=0,
        lt=1,
    )
    class_weights: ClassWeights = setting(
        None, TRAINING, "classify, tag: how much classes count in training: balanced, or cold=1,hot=5", rare=True
    )
    evaluate_every: int | None = setting(
        None, TRAINING, "updates between evaluations of the validation part; else after each epoch", rare=True, ge=1
    )
    monitor: str = setting("loss", TRAINING, "the validation figure that says which weights are best", rare=True)
    patience: int | None = setting(None, TRAINING, "evaluations without a better one before training stops", ge=1)
    keep: Literal["best", "last"] = setting(
        "best", TRAINING, "which weights the run ends with, where there is a validation part: best, last", rare=True
    )
    seed: int = setting(0, TRAINING, "of the split, the weights and the order", ge=0, lt=2**63)
    device: str = setting("auto", TRAINING, "where to train: cpu, cuda, cuda:1, ...; auto takes a GPU if there is one")
    precision: Precision = setting(
        "32-true", TRAINING, "of the arithmetic: 32-true, 64-true, bf16-mixed, 16-mixed", rare=True
    )

    @model_validator(mode="before")
    @classmethod
    def _set_a_limit(cls, values: dict[str, Any]) -> dict[str, Any]:
        if all(values.get(name) is None for name in ("epochs", "updates", "seconds")):
            values = values | {"epochs": EPOCHS}
        return values
