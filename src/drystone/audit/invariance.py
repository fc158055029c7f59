"""Does what a model makes of a sequence depend on anything but the sequence?

Each check runs a model on the same sequences in several arrangements that should make no difference, and compares
results and gradients by sequence. A check returns a report and raises nothing that it finds; `report.check()` raises.
What the model itself raises passes through, also where it takes no batch of a single sequence.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import torch

from drystone.audit.arrangement import Arrangement, halves, ways
from drystone.audit.measure import (
    Outcome,
    compare,
    error_of,
    gradients_of,
    losses_of,
    run,
    scale_of,
    split_results,
    split_steps,
    tolerance_of,
)
from drystone.audit.report import Change, Report
from drystone.audit.subject import Subject
from drystone.core.errors import AuditError, DataError

EXTRA = 3  # columns of padding


def check_padding_content(subject: Subject, *, tolerance: float | None = None) -> Report:
    """Does a result depend on what padded cells hold?

    Usual causes: no mask, or a final state taken at the padded end; batch norm, attention, or a backward
    direction over padded cells.

    Args:
        subject: a `PaddedModel` or `BatchModel`.
        tolerance: the largest error that passes as rounding, as a fraction of the largest value of a result; by
            default 1e-10 for float64, 1e-4 for float32, 1e-2 for float16, 5e-2 for bfloat16.

    Example:
        >>> from drystone.audit import PaddedModel
        >>> sequences = [torch.ones(2, 1), torch.ones(4, 1)]
        >>> print(check_padding_content(PaddedModel(lambda x, lengths: x.sum(1), sequences)).passed)
        False
    """

    def pairs() -> Iterator[Pair]:
        for way in _ways(subject, extra=EXTRA):
            yield (
                way,
                replace(way, words=f"{way.words}, padded cells holding other values than 0", junk_in_padding=True),
            )

    remedy = "mask padded cells in every layer that mixes steps, and read final states at the last step of each."
    return _report(subject, "Do results depend on what padded cells hold?", pairs(), remedy, tolerance)


def check_padding_length(subject: Subject, *, tolerance: float | None = None) -> Report:
    """Does a result depend on how much padding there is?

    Usual causes: a mean or maximum over padded cells, even where they hold 0; a final state taken at the padded end.

    Args:
        subject: a `PaddedModel` or `BatchModel`.
        tolerance: as for `check_padding_content`.

    Example:
        >>> from drystone.audit import PaddedModel
        >>> sequences = [torch.ones(2, 1), torch.ones(4, 1)]
        >>> print(check_padding_length(PaddedModel(lambda x, lengths: x.mean(1), sequences)).passed)
        False
    """

    def pairs() -> Iterator[Pair]:
        for extra in (1, EXTRA):
            for way, longer in zip(_ways(subject, extra=0), _ways(subject, extra=extra), strict=True):
                yield way, replace(longer, words=f"{longer.words}, {extra} columns more of it")

    remedy = "divide by the steps of each sequence, not by the columns, and leave padded cells out of every reduction."
    return _report(subject, "Do results depend on how much padding there is?", pairs(), remedy, tolerance)


def check_batch_mates(subject: Subject, *, tolerance: float | None = None) -> Report:
    """Does a result depend on the other sequences of the batch?

    Usual causes: batch norm in training mode, a softmax or mean over the wrong axis, a state that is not reset where
    a row holds several sequences. Gradients of parameters, which all sequences share, are not compared here.

    Args:
        subject: a `PaddedModel` or `BatchModel`.
        tolerance: as for `check_padding_content`.

    Example:
        >>> from drystone.audit import PaddedModel
        >>> sequences = [torch.ones(2, 1), torch.ones(4, 1)]
        >>> report = check_batch_mates(PaddedModel(lambda x, lengths: x - x.mean(0), sequences, per_step=["output"]))
        >>> print(report)
        Do results depend on the other sequences of the batch? Yes: ...
    """

    def pairs() -> Iterator[Pair]:
        for way in _ways(subject, extra=0):
            for kept in halves(len(subject.lengths)):
                rest = frozenset(way.sequences) - kept
                yield way, replace(way, words=f"{way.words}, other sequences holding other values", junk_in=rest)
                yield way, way.only(kept, f"{way.words}, without some other sequences")

    remedy = "let nothing mix rows, or several sequences of one row."
    question = "Do results depend on the other sequences of the batch?"
    return _report(subject, question, pairs(), remedy, tolerance, shared=False)


def check_place(subject: Subject, *, tolerance: float | None = None) -> Report:
    """Does a result depend on where in the batch its sequence lies: on its row, its first column, the side of padding?

    A model that takes lengths is tried with other rows only; one that takes a mask, with padding before sequences;
    one that takes batches, with several sequences end to end on one row as well.

    Args:
        subject: a `PaddedModel` or `BatchModel`.
        tolerance: as for `check_padding_content`.

    Example:
        >>> from drystone.audit import PaddedModel
        >>> sequences = [torch.ones(2, 1), torch.ones(4, 1)]
        >>> model = lambda x, lengths: x[:, 0] * torch.arange(len(x))[:, None]
        >>> print(check_place(PaddedModel(model, sequences)).passed)
        False
    """

    def pairs() -> Iterator[Pair]:
        first, *others = _ways(subject, extra=0)
        turned = reversed(range(len(subject.lengths)))
        others += [
            replace(way, words=f"{way.words}, in reverse order")
            for way in ways(subject.takes, subject.lengths, order=list(turned), extra=0)
        ]
        for other in others:
            yield first, other

    remedy = "undo any sorting of rows, count steps from where each sequence starts, and start each from a zero state."
    return _report(subject, "Do results depend on where a sequence lies?", pairs(), remedy, tolerance)


def check_gradients(subject: Subject, *, tolerance: float | None = None) -> Report:
    """Are gradients those of each sequence alone?

    The gradient of a loss over one sequence with regard to its own inputs must be that of the sequence alone in a
    batch without padding; with regard to other sequences and padding exactly 0. The gradients of parameters must be
    the sum over sequences alone.

    Args:
        subject: a `PaddedModel` or `BatchModel`.
        tolerance: as for `check_padding_content`.

    Raises:
        DataError: no result depends on inputs or parameters in a way that has a gradient.

    Example:
        >>> from drystone.audit import PaddedModel
        >>> sequences = [torch.ones(2, 1), torch.ones(4, 1)]
        >>> print(check_gradients(PaddedModel(lambda x, lengths: x.sin(), sequences, per_step=["output"])))
        Do gradients differ from those of each sequence alone? No: nothing differs by more than 1e-04.
    """
    question = "Do gradients differ from those of each sequence alone?"
    remedy = "mask padded cells with where, and let nothing mix sequences."
    _refuse_unnamed_steps(subject)
    all_ways = _ways(subject, extra=1)
    expected, randomness = _twice(subject, all_ways[0])
    allowed = tolerance_of(expected) if tolerance is None else tolerance
    if not expected.gradients and not expected.shared:
        raise DataError(
            "no result of the model has a gradient with regard to a field of floating-point numbers or a parameter. "
            "Pass module=..., and return results that are not detached."
        )
    if _over(randomness, allowed):
        return _made(question, randomness, remedy, allowed, is_random=True)
    alone = _alone(subject)
    changes = [change for way in all_ways for change in _against_alone(subject, way, alone)]
    leaks = [change for way in all_ways for change in _leaks(subject, way)]
    return _made(question, [*_over(changes, allowed), *_over(leaks, 0.0)], remedy, allowed)


def assert_invariant(subject: Subject, *, tolerance: float | None = None) -> None:
    """Runs all checks.

    Args:
        subject: a `PaddedModel` or `BatchModel`.
        tolerance: as for `check_padding_content`.

    Raises:
        AuditError: a check found something; the message holds all reports that did.

    Example:
        >>> import numpy as np
        >>> import drystone as ds
        >>> from drystone.audit import BatchModel
        >>> from drystone.torch import LSTM
        >>> seqs = ds.Sequences.from_arrays(per_step={"x": [np.ones((length, 2), "f") for length in (3, 1, 4)]})
        >>> lstm = LSTM(2, 4, bidirectional=True)
        >>> def model(batch):
        ...     found = lstm.run(batch["x"], batch.grid)
        ...     return {"output": found.output, "final": found.final[0].transpose(0, 1)}
        >>> assert_invariant(BatchModel(model, seqs, per_step=["output"], module=lstm))
    """
    checks = (check_padding_content, check_padding_length, check_batch_mates, check_place, check_gradients)
    failed = [report for check in checks if not (report := check(subject, tolerance=tolerance)).passed]
    if failed:
        raise AuditError("\n".join(str(report) for report in failed))


Pair = tuple[Arrangement, Arrangement]


def _ways(subject: Subject, *, extra: int) -> list[Arrangement]:
    return ways(subject.takes, subject.lengths, order=range(len(subject.lengths)), extra=extra)


def _report(
    subject: Subject,
    question: str,
    pairs: Iterable[Pair],
    remedy: str,
    tolerance: float | None,
    *,
    shared: bool = True,
) -> Report:
    _refuse_unnamed_steps(subject)
    known: dict[Arrangement, Outcome] = {}
    changes: list[Change] = []
    allowed = 0.0
    for before, after in pairs:
        if before not in known:
            known[before], randomness = _twice(subject, before)
            allowed = tolerance_of(known[before]) if tolerance is None else tolerance
            if _over(randomness, allowed):
                return _made(question, _over(randomness, allowed), remedy, allowed, is_random=True)
        found = _over(compare(known[before], run(subject, after), after.words, shared=shared), allowed)
        changes += [change for change in found if change.sequence not in after.junk_in]
    return _made(question, changes, remedy, allowed)


def _made(
    question: str, changes: Iterable[Change], remedy: str, tolerance: float, *, is_random: bool = False
) -> Report:
    """Keeps the worst change of each result and sequence."""
    worst: dict[tuple[str, int | None], Change] = {}
    for change in sorted(changes, key=lambda change: -change.error):
        worst.setdefault((change.result, change.sequence), change)
    return Report(
        question=question, tolerance=tolerance, changes=tuple(worst.values()), is_random=is_random, remedy=remedy
    )


def _over(changes: Iterable[Change], allowed: float) -> list[Change]:
    return [change for change in changes if change.error > allowed]


def _twice(subject: Subject, arrangement: Arrangement) -> tuple[Outcome, list[Change]]:
    first = run(subject, arrangement)
    for name, parts in (first.results | first.gradients).items():
        for number, values in parts.items():
            if values.isnan().any():
                raise DataError(
                    f"{arrangement.words}, the {name} of sequence {number} is NaN: there is nothing to compare."
                )
    return first, list(compare(first, run(subject, arrangement), "in a second run on the same batch", shared=True))


def _refuse_unnamed_steps(subject: Subject) -> None:
    """Raises ShapeError where the shape of a result of a sequence follows the columns of the batch."""
    short, long = (run(subject, _ways(subject, extra=extra)[0]) for extra in (0, 1))
    for _ in compare(short, long, "", shared=False):
        pass


def _alone(subject: Subject) -> Outcome:
    """Each sequence in a batch of its own, without padding, put together; gradients of parameters added up."""
    lengths = subject.lengths
    runs = [run(subject, Arrangement.one_a_row("alone", [number], lengths)) for number in range(len(lengths))]
    return Outcome(
        results={},
        gradients={
            name: {number: found.gradients[name][number] for number, found in enumerate(runs)}
            for name in runs[0].gradients
        },
        shared={name: torch.stack([found.shared[name] for found in runs]).sum(0) for name in runs[0].shared},
        per_step=runs[0].per_step,
    )


def _against_alone(subject: Subject, way: Arrangement, alone: Outcome) -> Iterator[Change]:
    found = run(subject, way)
    return compare(alone, replace(found, results={}), f"{way.words}, against each alone", shared=True)


def _leaks(subject: Subject, way: Arrangement) -> Iterator[Change]:
    """Yields gradients of the loss of one sequence with regard to what is not part of it."""
    with torch.enable_grad():
        call = subject.call(way)
        losses = losses_of(split_results(subject, way, call))
    padding = torch.from_numpy(~way.grid().valid)
    for number, loss in losses.items():
        gradients = gradients_of(loss, list(call.inputs.values()), keep=True)
        for name, gradient in zip(call.inputs, gradients, strict=True):
            if gradient is not None:
                result = f"gradient of sequence {number}'s results with regard to {name}"
                scale = scale_of([gradient])
                for other, values in split_steps(gradient, way).items():
                    if other != number:
                        error, place = error_of(result, values, torch.zeros_like(values), scale)
                        yield Change(result=result, sequence=other, step=place[0], error=error, where=way.words)
                values = gradient[padding.to(gradient.device)]
                error, _ = error_of(result, values, torch.zeros_like(values), scale)
                where = f"{way.words}, at padded cells"
                yield Change(result=result, sequence=None, step=None, error=error, where=where)
