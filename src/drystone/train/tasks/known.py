"""The tasks that there are, as far as they are known without a framework; `find` has the rest."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from drystone.train.tasks.about import About
from drystone.train.tasks.classify.about import CLASSIFY
from drystone.train.tasks.forecast.about import FORECAST
from drystone.train.tasks.joint.about import JOINT
from drystone.train.tasks.language_model.about import LANGUAGE_MODEL
from drystone.train.tasks.regress.about import REGRESS
from drystone.train.tasks.tag.about import TAG

TASKS: Mapping[str, About] = MappingProxyType(
    {about.name: about for about in (CLASSIFY, REGRESS, TAG, JOINT, FORECAST, LANGUAGE_MODEL)}
)
OF_TASKS = frozenset(name for about in TASKS.values() for name in about.defaults({}))
"""The settings that depend on the task."""


def usual_target(given: Mapping[str, Any]) -> str | None:
    """Returns the target that settings have where they name none; None where they must name one.

    >>> usual_target({"task": "language-model", "text": "review"}), usual_target({"task": "classify"})
    ('review', None)
    """
    asked = (about for about in TASKS.values() if about.name == given.get("task"))
    return next((about.usual_target(given) for about in asked), None)


def goes_with(name: str) -> list[str]:
    """Returns the tasks that a setting goes with."""
    return [task for task, about in TASKS.items() if name not in OF_TASKS or name in about.defaults({})]
