"""Does what a model makes of a sequence depend on anything but the sequence?

Each check runs a model on the same sequences in several arrangements that should make no difference, and compares
results and gradients by sequence. A check returns a report and raises nothing that it finds; `report.check()` raises.
What the model itself raises passes through, also where it takes no batch of a single sequence.
"""

from collections.abc import Iterator
from dataclasses import replace

from drystone.audit.arrangement import halves, ways
from drystone.audit.gradients import check_gradients
from drystone.audit.report import Report
from drystone.audit.subject import Subject
from drystone.audit.trial import Pair, every_way, report_on
from drystone.core.errors import AuditError

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
        >>> import torch
        >>> from drystone.audit import PaddedModel
        >>> sequences = [torch.ones(2, 1), torch.ones(4, 1)]
        >>> print(check_padding_content(PaddedModel(lambda x, lengths: x.sum(1), sequences)).passed)
        False
    """

    def pairs() -> Iterator[Pair]:
        for way in every_way(subject, extra=EXTRA):
            yield (
                way,
                replace(way, words=f"{way.words}, padded cells holding other values than 0", junk_in_padding=True),
            )

    remedy = "mask padded cells in every layer that mixes steps, and read final states at the last step of each."
    return report_on(subject, "Do results depend on what padded cells hold?", pairs(), remedy, tolerance)


def check_padding_length(subject: Subject, *, tolerance: float | None = None) -> Report:
    """Does a result depend on how much padding there is?

    Usual causes: a mean or maximum over padded cells, even where they hold 0; a final state taken at the padded end.

    Args:
        subject: a `PaddedModel` or `BatchModel`.
        tolerance: as for `check_padding_content`.

    Example:
        >>> import torch
        >>> from drystone.audit import PaddedModel
        >>> sequences = [torch.ones(2, 1), torch.ones(4, 1)]
        >>> print(check_padding_length(PaddedModel(lambda x, lengths: x.mean(1), sequences)).passed)
        False
    """

    def pairs() -> Iterator[Pair]:
        for extra in (1, EXTRA):
            for way, longer in zip(every_way(subject, extra=0), every_way(subject, extra=extra), strict=True):
                yield way, replace(longer, words=f"{longer.words}, {extra} columns more of it")

    remedy = "divide by the steps of each sequence, not by the columns, and leave padded cells out of every reduction."
    return report_on(subject, "Do results depend on how much padding there is?", pairs(), remedy, tolerance)


def check_batch_mates(subject: Subject, *, tolerance: float | None = None) -> Report:
    """Does a result depend on the other sequences of the batch?

    Usual causes: batch norm in training mode, a softmax or mean over the wrong axis, a state that is not reset where
    a row holds several sequences. Gradients of parameters, which all sequences share, are not compared here.

    Args:
        subject: a `PaddedModel` or `BatchModel`.
        tolerance: as for `check_padding_content`.

    Example:
        >>> import torch
        >>> from drystone.audit import PaddedModel
        >>> sequences = [torch.ones(2, 1), torch.ones(4, 1)]
        >>> report = check_batch_mates(PaddedModel(lambda x, lengths: x - x.mean(0), sequences, per_step=["output"]))
        >>> print(report)
        Do results depend on the other sequences of the batch? Yes: ...
    """

    def pairs() -> Iterator[Pair]:
        for way in every_way(subject, extra=0):
            for kept in halves(len(subject.lengths)):
                rest = frozenset(way.sequences) - kept
                yield way, replace(way, words=f"{way.words}, other sequences holding other values", junk_in=rest)
                yield way, way.only(kept, f"{way.words}, without some other sequences")

    remedy = "let nothing mix rows, or several sequences of one row."
    question = "Do results depend on the other sequences of the batch?"
    return report_on(subject, question, pairs(), remedy, tolerance, shared=False)


def check_place(subject: Subject, *, tolerance: float | None = None) -> Report:
    """Does a result depend on where in the batch its sequence lies: on its row, its first column, the side of padding?

    A model that takes lengths is tried with other rows only; one that takes a mask, with padding before sequences;
    one that takes batches, with several sequences end to end on one row as well.

    Args:
        subject: a `PaddedModel` or `BatchModel`.
        tolerance: as for `check_padding_content`.

    Example:
        >>> import torch
        >>> from drystone.audit import PaddedModel
        >>> sequences = [torch.ones(2, 1), torch.ones(4, 1)]
        >>> model = lambda x, lengths: x[:, 0] * torch.arange(len(x))[:, None]
        >>> print(check_place(PaddedModel(model, sequences)).passed)
        False
    """

    def pairs() -> Iterator[Pair]:
        first, *others = every_way(subject, extra=0)
        turned = reversed(range(len(subject.lengths)))
        others += [
            replace(way, words=f"{way.words}, in reverse order")
            for way in ways(subject.takes, subject.lengths, order=list(turned), extra=0)
        ]
        for other in others:
            yield first, other

    remedy = "undo any sorting of rows, count steps from where each sequence starts, and start each from a zero state."
    return report_on(subject, "Do results depend on where a sequence lies?", pairs(), remedy, tolerance)


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
