"""From the name of a task to the task, and the choice of one where nobody made it."""

from collections.abc import Mapping
from types import MappingProxyType

from drystone.core.sequences import Sequences
from drystone.train.features import changes
from drystone.train.schema import Schema
from drystone.train.settings import Settings
from drystone.train.tasks.classify.task import Classify
from drystone.train.tasks.forecast.task import Forecast
from drystone.train.tasks.task import Task

KINDS: Mapping[str, type[Task]] = MappingProxyType({kind.about.name: kind for kind in (Classify, Forecast)})


def kind_of(settings: Settings) -> type[Task]:
    """Returns the task that settings name."""
    assert settings.task is not None
    return KINDS[settings.task]


def task_of(settings: Settings, schema: Schema) -> Task:
    """Returns the task of a run."""
    return kind_of(settings)(settings, schema)


def usual_task(seqs: Sequences, target: str) -> str:
    """Returns what one wants of a target: the forecast of a measurement that changes from step to step, else its class.

    Raises:
        DataError: there is no such field.
    """
    field = seqs.field(target)
    is_measured = field.per_step and not field.item_shape and field.column.type_name.startswith("float")
    has_a_next_step = bool((seqs.lengths > 1).any())
    return "forecast" if is_measured and has_a_next_step and changes(seqs, target) else "classify"
