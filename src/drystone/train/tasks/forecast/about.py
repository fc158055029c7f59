"""Forecasts, as settings and lists of runs know them."""

from collections.abc import Mapping
from typing import Any

from drystone.train.tasks.about import FIGURES_OF_NUMBERS, About, Figure


def defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the settings that depend on the task; windows are sequences of their own, so nothing is carried then."""
    return {
        "layout": "stateful" if given.get("window") is None else "padded",
        "bidirectional": False,
        "head_dropout": 0.0,
        "noise": 0.0,
        "horizon": 1,
        "season": None,
        "base": None,
        "known_ahead": None,
        "context": None,
        "lead": None,
        "align": None,
        "backprop_steps": None,
        "window": None,
        "stride": None,
        "split": "time",
    }


def check(settings: Any) -> None:
    """Raises ValueError where settings contradict each other."""
    if settings.bidirectional:
        raise ValueError("bidirectional is on; a forecast must not read backward, from what is still to come.")
    if settings.split == "random":
        raise ValueError(
            "split is 'random'; parts of forecasts are times, the first for training, so that no target is one of the past. "
            "Leave out split."
        )
    if settings.stride is not None and settings.window is None:
        raise ValueError("stride needs window too: the steps of each window.")
    if (
        settings.layout == "packed"
        and None not in (settings.window, settings.steps)
        and settings.steps < settings.window
    ):
        raise ValueError(f"steps is {settings.steps}; rows of windows of {settings.window} steps need as many.")
    if settings.context is not None:
        if settings.part_field is not None:
            raise ValueError(
                f"context is {settings.context}, and {settings.parts_are_stated_by} states whole series, with nothing before "
                f"them. Leave out context."
            )
        if not settings.valid_fraction and not settings.test_fraction:
            raise ValueError(
                f"context is {settings.context}, and there is no validation or test part to warm up. Leave out context, or "
                f"give valid_fraction or test_fraction."
            )
    if settings.align is not None and settings.lead is not None:
        raise ValueError(
            "lead warms up the parts that series are cut into; with align they stay whole. Leave out lead."
        )


FIGURES = {name: FIGURES_OF_NUMBERS[name] for name in ("rmse", "mae", "r2")} | {
    "mase": Figure(form=".4f"),
    "loss": FIGURES_OF_NUMBERS["loss"],
}

FORECAST = About(
    name="forecast",
    figures=FIGURES,
    layouts=("stateful", "padded", "bucketed", "packed"),
    defaults=defaults,
    check=check,
    goes_on=True,
)
