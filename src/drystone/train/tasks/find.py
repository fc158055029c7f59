"""From the name of a task to the task, and the choice of one where nobody made it."""

from collections.abc import Mapping
from types import MappingProxyType

from drystone.core.sequences import Sequences
from drystone.train.features.choose import changes
from drystone.train.schema import Schema
from drystone.train.settings import Settings
from drystone.train.targets import fields_of, parts_of
from drystone.train.tasks.classify.task import Classify
from drystone.train.tasks.forecast.task import Forecast
from drystone.train.tasks.joint.task import Joint
from drystone.train.tasks.known import OF_TASKS, TASKS, goes_with
from drystone.train.tasks.language_model.task import LanguageModelling
from drystone.train.tasks.regress.numbers import is_measurement
from drystone.train.tasks.regress.task import Regress
from drystone.train.tasks.tag.task import Tag
from drystone.train.tasks.task import Task

KINDS: Mapping[str, type[Task]] = MappingProxyType(
    {kind.about.name: kind for kind in (Classify, Regress, Tag, Joint, Forecast, LanguageModelling)}
)


def kind_of(settings: Settings) -> type[Task]:
    """Returns the task that settings name."""
    assert settings.task is not None
    return KINDS[settings.task]


def task_of(settings: Settings, schema: Schema) -> Task:
    """Returns the task of a run."""
    return kind_of(settings)(settings, schema)


def usual_task(seqs: Sequences, settings: Settings) -> str:
    """Returns what suits the target, and of that what all settings go with, which layouts tell too.

    That is the forecast of a measurement that changes from step to step, a tag of what else changes so; regression of a
    measurement that does not, else a class. Where all settings go with one task only, it is that.

    Raises:
        DataError: there is no such target.
    """
    given = [name for name in OF_TASKS if getattr(settings, name) is not None]
    suited = [
        task
        for task, about in TASKS.items()
        if all(task in goes_with(name) for name in given) and settings.layout in (None, *about.layouts)
    ]
    usual = usual_tasks_of_target(seqs, settings)
    return next((task for task in usual if task in suited), usual[0])  # where none does, the error names the setting


def usual_tasks_of_target(seqs: Sequences, settings: Settings) -> tuple[str, ...]:
    """Returns the tasks that may suit the target, whatever else was said, the likeliest first."""
    fields = [seqs.field(name) for name in fields_of(settings.target, seqs)]
    if len(fields) > 1:
        return ("joint",)
    (field,) = fields
    has_a_next_step = bool((seqs.lengths > 1).any())
    if not field.per_step or not has_a_next_step or not changes(seqs, settings.target):
        is_measured = is_measurement(seqs.collapsed(settings.target).field(settings.target))
        return ("regress", "classify") if is_measured else ("classify", "regress")
    measured = "f" if settings.layout != "stateful" else "fiu"  # a layout for series says that whole numbers are counts
    is_single = not field.item_shape or len(parts_of(settings.target, seqs)) > 1
    is_measured = field.is_numeric and is_single and field.values.dtype.kind in measured
    is_measured |= not field.item_shape and is_measurement(field)  # counts, of which hardly any comes twice
    return (*(("forecast", "tag") if is_measured else ("tag", "forecast")), "classify")
