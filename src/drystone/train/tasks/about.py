"""What is known of a task without a framework."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """How one figure of an evaluation is written and compared.

    Args:
        form: as in f-strings, such as ".3f".
        higher_is_better: which of two is better.
    """

    form: str
    higher_is_better: bool = False


FIGURES_OF_NUMBERS = MappingProxyType(
    {
        "rmse": Figure(form=".5g"),
        "mae": Figure(form=".5g"),
        "r2": Figure(form=".4f", higher_is_better=True),
        "loss": Figure(form=".4f"),
    }
)
"""Of tasks that predict numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """A task, as settings and lists of runs know it.

    Args:
        name: what users call it.
        figures: of an evaluation; the first one is what a run is known by.
        layouts: that it can be trained on.
        defaults: given what was chosen, returns the settings that depend on the task, each with its default, or None
            where it has none. A setting that other tasks have here and this one has not does not go with it.
        check: takes all settings; raises ValueError where they contradict the task.
        usual_target: given what was chosen, returns the target where none is named; None where one must be.
        goes_on: whether a series may go on in another part: what comes later is what is learned.
    """

    name: str
    figures: Mapping[str, Figure]
    layouts: tuple[str, ...]
    defaults: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    check: Callable[[Any], None]
    usual_target: Callable[[Mapping[str, Any]], str | None] = lambda _: None
    goes_on: bool = False

    @property
    def figure(self) -> str:
        """The name of the figure that a run is known by."""
        return next(iter(self.figures))

    def fixed_defaults(self) -> dict[str, Any]:
        """Returns the defaults that no other setting changes."""
        usual = self.defaults({})
        changed = self.defaults(dict.fromkeys(usual, 1))
        return {name: value for name, value in usual.items() if changed[name] == value}

    def write(self, name: str, value: float) -> str:
        """Returns a figure in words, such as "accuracy 0.981"."""
        return f"{name} {value:{self.figures[name].form}}"
