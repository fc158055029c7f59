"""Is the gradient of a sequence's loss that of the sequence alone?"""

from collections.abc import Iterator
from dataclasses import replace

import torch

from drystone.audit.arrangement import Arrangement
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
from drystone.audit.trial import every_way, over, refuse_unnamed_steps, report_of, run_twice
from drystone.core.errors import DataError


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
    refuse_unnamed_steps(subject)
    all_ways = every_way(subject, extra=1)
    expected, randomness = run_twice(subject, all_ways[0])
    allowed = tolerance_of(expected) if tolerance is None else tolerance
    if not expected.gradients and not expected.shared:
        raise DataError(
            "no result of the model has a gradient with regard to a field of floating-point numbers or a parameter. "
            "Pass module=..., and return results that are not detached."
        )
    if over(randomness, allowed):
        return report_of(question, over(randomness, allowed), remedy, allowed, is_random=True)
    alone = _alone(subject)
    changes = [change for way in all_ways for change in _against_alone(subject, way, alone)]
    leaks = [change for way in all_ways for change in _leaks(subject, way)]
    return report_of(question, [*over(changes, allowed), *over(leaks, 0.0)], remedy, allowed)


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
