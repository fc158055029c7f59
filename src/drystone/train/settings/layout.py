"""Settings of the layout of batches."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from drystone.core.defaults import BATCH_SIZE, CARRIED_STEPS
from drystone.core.words import either
from drystone.train.settings.setting import LAYOUT, SomeSettings, setting

LayoutName = Literal["padded", "bucketed", "packed", "stateful"]

OF_LAYOUTS: Mapping[str, tuple[LayoutName, ...]] = MappingProxyType(
    {
        "batch_size": ("padded", "bucketed", "packed"),
        "cells": ("bucketed",),
        "num_buckets": ("bucketed",),
        "rows": ("packed", "stateful"),
        "steps": ("packed", "stateful"),
        "lead": ("stateful",),
        "align": ("stateful",),
        "backprop_steps": ("stateful",),
        "window": ("padded", "bucketed", "packed"),
        "stride": ("padded", "bucketed", "packed"),
    }
)


class LayoutSettings(SomeSettings):
    """How sequences are laid in batches."""

    layout: LayoutName | None = setting(
        None,
        LAYOUT,
        "padded, bucketed, packed; forecast, tag: stateful too, but for windows",
    )
    batch_size: int | None = setting(None, LAYOUT, "sequences a batch; 32 unless cells or rows are given", ge=1)
    cells: int | None = setting(None, LAYOUT, "bucketed: the most cells a batch, padding included", rare=True, ge=1)
    num_buckets: int | None = setting(None, LAYOUT, "bucketed: how many buckets; 8 by default", rare=True, ge=1)
    rows: int | None = setting(None, LAYOUT, f"packed, stateful: rows a batch; {BATCH_SIZE} if stateful", ge=1)
    steps: int | None = setting(None, LAYOUT, f"packed, stateful: steps a row; {CARRIED_STEPS} if stateful", ge=1)
    lead: int | None = setting(
        None,
        LAYOUT,
        "stateful: warm-up steps of each part that a series is cut into; as many as steps by default",
        rare=True,
        ge=0,
    )
    backprop_steps: int | None = setting(
        None, LAYOUT, "stateful: how far gradients reach back, a whole multiple of steps", rare=True, ge=1
    )
    align: str | None = setting(
        None, LAYOUT, "stateful: the field of times; one series a row, a column one time", rare=True
    )
    window: int | None = setting(
        None, LAYOUT, "forecast: steps of windows, in place of whole series; no state is carried", rare=True, ge=1
    )
    stride: int | None = setting(
        None, LAYOUT, "forecast: steps from one window to the next in training; 1 by default", rare=True, ge=1
    )
    batches_per_update: int = setting(1, LAYOUT, "batches whose gradients add up to one update", rare=True, ge=1)

    def _check_layout(self) -> None:
        for name, layouts in OF_LAYOUTS.items():
            if self.layout is not None and getattr(self, name) is not None and self.layout not in layouts:
                raise ValueError(f"{name} goes with layout {either(layouts)}, not with {self.layout}.")
        if self.batch_size is not None and (self.cells is not None or self.rows is not None):
            raise ValueError(f"give either batch_size or {'cells' if self.cells is not None else 'rows and steps'}.")
        if self.rows is not None and self.steps is None and self.layout not in (None, "stateful"):
            raise ValueError("rows needs steps too.")
        steps = self.steps or CARRIED_STEPS
        if self.backprop_steps is not None and self.backprop_steps % steps:
            raise ValueError(f"backprop_steps is {self.backprop_steps}; expected a whole multiple of steps, {steps}.")
