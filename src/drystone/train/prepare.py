"""All that can go wrong before training is checked here, and nothing is written."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from drystone.core.errors import ConfigError, DataError, RunError
from drystone.core.loader import Loader
from drystone.core.plan import Plan
from drystone.core.sequences import Sequences
from drystone.core.shares import waiting_fraction
from drystone.core.storage import KEYS
from drystone.core.words import so_many
from drystone.train.apart import check_ids, check_steps, warn_of_equals, warn_of_shared_steps
from drystone.train.device import check_precision, device_of
from drystone.train.features.encode import encoded
from drystone.train.layouts import training_layout
from drystone.train.loaders import loader_of
from drystone.train.model import RunModel
from drystone.train.ranks.ranks import Ranks
from drystone.train.schema import Schema
from drystone.train.settings import PART_FIELD, Settings
from drystone.train.split import Split
from drystone.train.targets import check_names, fields_of, with_target
from drystone.train.tasks.find import KINDS, kind_of, task_of, usual_task, usual_tasks_of_target
from drystone.train.tasks.task import Task
from drystone.train.truncation import Truncated, truncated, warn_of_truncated

MUCH_WAITING = 0.1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """All that training needs.

    Args:
        parts: the sequences of each part, with the numbers of the features; what came before it as lead.
        task: what is learned, with settings and schema.
        split: which sequences are for what, as they were read.
        loader: the training part.
        model: not trained yet, with the statistics of the training part.
        truncated: what is left out of the sequences of each part, where `max_steps` asks for it.
        device: where the model is.
        ranks: the processes that train it.
    """

    parts: Mapping[str, Sequences]
    task: Task
    split: Split
    loader: Loader
    model: RunModel
    truncated: Mapping[str, Truncated]
    device: torch.device
    ranks: Ranks

    @property
    def settings(self) -> Settings:
        """With the keys of the sequences, and what depends on the task, filled in."""
        return self.task.settings


def prepare(seqs: Sequences, settings: Settings, ranks: Ranks | None = None) -> Prepared:
    """Checks data and settings against each other, draws the split and makes the model."""
    seqs, settings = _with_keys(seqs, settings)
    if not len(seqs):
        raise DataError("there are no sequences to train on.")
    chosen = _with_task(seqs, settings)
    kind = kind_of(chosen)
    split = kind.split(seqs, chosen)
    check_ids(seqs, split, goes_on=kind.about.goes_on)
    check_steps(seqs, split)
    task = task_of(chosen, _schema_of(seqs, chosen, split))
    _check_monitor(task)
    names = (*task.schema.features.sources, *fields_of(chosen.target, seqs))
    warn_of_equals(seqs, split, names)
    if kind.about.goes_on:
        warn_of_shared_steps(seqs, split, names)
    return _put_together(_parts_of(seqs, task, split), task, _known_again(split, seqs, task), ranks or Ranks())


def prepare_again(seqs: Sequences, settings: Settings, schema: Schema, split: Split, ranks: Ranks) -> Prepared:
    """Makes the same as `prepare` did for a run that goes on.

    Raises:
        RunError: these are not the sequences that the run was made from.
    """
    seqs, settings = _with_keys(seqs, settings)
    try:
        is_same = schema.is_of(seqs)
    except DataError as error:
        raise RunError(f"these are not the sequences that the run was made from: {error}") from error
    if not is_same:
        names = dict.fromkeys((*schema.features.sources, *fields_of(schema.target, seqs)))
        raise RunError(
            f"these are not the sequences that the run was made from: {len(seqs)} sequences of {seqs.num_steps} steps, "
            f"with other values in {' or '.join(names)}, or another order."
        )
    task = task_of(settings, schema)
    return _put_together(_parts_of(seqs, task, split), task, split, ranks)


def _schema_of(seqs: Sequences, settings: Settings, split: Split) -> Schema:
    """Returns the schema of what is read of the sequences; it is known by them as they are."""
    kind = kind_of(settings)
    is_cut_later = seqs.text is not None and settings.tokens != "characters"
    if settings.max_steps is None or is_cut_later:
        return kind.schema_of(seqs, settings, split)
    read = seqs.truncate(settings.max_steps)
    found = kind.schema_of(read, settings, split.of_other_steps(seqs.lengths, read.lengths))
    return replace(found, data=found.fingerprint_of(seqs))


def _with_task(seqs: Sequences, settings: Settings) -> Settings:
    """Returns the settings for their task, or the usual one; where that does not suit, the error says how to choose."""
    task = settings.task or usual_task(seqs, settings)
    try:
        chosen = settings.with_task(task)
        kind_of(chosen).check_target(seqs, chosen.target)
    except (ConfigError, DataError) as error:
        if settings.task is None:
            error.add_note(
                f"The task {task} was chosen to suit target and settings; name another with task= (--task): classify for a "
                f"class a sequence, regress for numbers a sequence, tag for something at every step, joint for both, forecast for the next "
                f"values of a measurement."
            )
        elif suits := _what_suits(seqs, settings):
            error.add_note(f"The task {suits} would suit this target: task={suits!r} (--task {suits}).")
        raise
    return kind_of(chosen).filled_in(seqs, chosen)


def _what_suits(seqs: Sequences, settings: Settings) -> str | None:
    """Returns the usual task of the target, where it is another than the one that was named."""
    if not all(name in seqs.field_names for name in fields_of(settings.target, seqs)):
        return None
    usual = usual_tasks_of_target(seqs, settings)[0]
    if usual == settings.task:
        return None
    try:
        KINDS[usual].check_target(seqs, settings.target)
    except DataError:
        return None
    return usual


def _known_again(split: Split, seqs: Sequences, task: Task) -> Split:
    """Returns the split with the fingerprints of parts that are sources of their own."""
    settings = task.settings
    if settings.part_field != PART_FIELD:
        return split
    own = [part for part in ("valid", "test") if getattr(settings, part) is not None]
    own += [] if settings.valid_fraction else ["train"]
    return replace(split, fingerprints={part: task.schema.fingerprint_of(split.sequences(seqs, part)) for part in own})


def _check_monitor(task: Task) -> None:
    figures = ("loss", *task.metrics())
    if task.settings.monitor not in figures:
        raise ConfigError(f"monitor is {task.settings.monitor!r}; the figures are: {', '.join(figures)}.")


def _parts_of(seqs: Sequences, task: Task, split: Split) -> dict[str, Sequences]:
    """Returns the sequences of each part with the numbers of the features.

    Where a document lies in several parts, and is cut to words, each part of it is cut by itself.
    """
    features = task.schema.features
    contexts = {"train": None, "valid": task.context, "test": task.context}
    if features.cut_documents and not split.is_of_wholes(seqs.lengths):
        return {
            part: encoded(split.sequences(seqs, part, context), features)
            for part, context in contexts.items()
            if len(split.part(part))
        }
    whole = encoded(seqs, features)
    own = split.of_other_steps(seqs.lengths, whole.lengths)
    return {part: own.sequences(whole, part, context) for part, context in contexts.items()}


def _put_together(wholes: Mapping[str, Sequences], task: Task, split: Split, ranks: Ranks) -> Prepared:
    settings = task.settings
    parts, left_out = truncated(wholes, settings.max_steps)
    warn_of_truncated(left_out, settings.max_steps)
    part = parts["train"]
    laid_out = task.to_train_on(part)
    layout = training_layout(settings)
    layout.check(laid_out.lengths, split.train if len(laid_out) == len(part) else None)
    device = device_of(settings.device, one_of_many=not ranks.is_alone)
    check_precision(settings.precision, device)
    loader = loader_of(laid_out, layout, task.fields(laid_out), device, seed=settings.seed)
    _warn_of_idle_ranks(loader.plan, ranks)  # what the layout refuses, such as times that do not rise, it refuses here
    model = task.new_model()
    task.fit_statistics(model, part)
    return Prepared(
        parts=parts,
        task=task,
        split=split,
        loader=loader,
        model=model.to(device),
        truncated=left_out,
        device=device,
        ranks=ranks,
    )


def _warn_of_idle_ranks(plan: Plan, ranks: Ranks) -> None:
    if ranks.is_alone:
        return
    most = int(plan.column("rows").max(initial=0))
    waiting = waiting_fraction(plan, ranks.num_ranks)
    if ranks.num_ranks > most:
        warnings.warn(
            f"{ranks.num_ranks} processes share batches of at most {so_many(most, 'row')}, so {ranks.num_ranks - most} of them "
            f"have nothing to do but wait: take larger batches, or fewer processes.",
            stacklevel=4,
        )
    elif waiting > MUCH_WAITING:
        warnings.warn(
            f"the rows of a batch do not share out evenly among {ranks.num_ranks} processes, so they will wait {waiting:.0%} of "
            f"the time for the fullest of them: take larger batches, or rows that are a multiple of {ranks.num_ranks}.",
            stacklevel=4,
        )


def _with_keys(seqs: Sequences, settings: Settings) -> tuple[Sequences, Settings]:
    """Sequences may know their id, order and text already; settings may say them; both must say the same. Adds the target."""
    keys: dict[str, str | None] = {}
    for key in KEYS:
        known, said = getattr(seqs, key), getattr(settings, key)
        if known is not None and said is not None and known != said:
            raise ConfigError(f"{key} is {said!r}, but the sequences were read with {known!r}.")
        keys[key] = said or known
        if said is not None:
            seqs.field(said)
    own = {**keys, "text": seqs.text}  # what settings call text may be words, which are no documents
    found = with_target(replace(seqs, **own), settings.target, settings.bio)
    check_names(found, settings.target)
    return found, settings.model_copy(update=keys)
