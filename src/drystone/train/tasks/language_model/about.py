"""Language models, as settings and lists of runs know them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from drystone.train.tasks.about import About, Figure

DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "layout": "stateful",
        "bidirectional": False,
        "head_dropout": 0.2,
        "noise": 0.0,
        "label_smoothing": 0.0,
        "tied": False,
        "split": "random",
        "group": None,
    }
)


def check(settings: Any) -> None:
    """Raises ValueError where settings contradict each other."""
    if settings.bidirectional:
        raise ValueError("bidirectional is on: a backward direction would read what is to be foretold. Leave it out.")
    if settings.spelling:
        raise ValueError("spelling is on: a language model reads tokens as they are, and foretells them. Leave it out.")


LANGUAGE_MODEL = About(
    name="language-model",
    figures=MappingProxyType({"loss": Figure(form=".4f"), "perplexity": Figure(form=".2f")}),
    layouts=("padded", "bucketed", "packed", "stateful"),
    defaults=lambda _: DEFAULTS,
    check=check,
    usual_target=lambda given: given.get("text") or "text",
)
