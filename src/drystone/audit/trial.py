"""Runs a model in pairs of arrangements, and makes a report of what differs."""

from collections.abc import Iterable

from drystone.audit.arrangement import Arrangement, ways
from drystone.audit.measure import Outcome, compare, run, tolerance_of
from drystone.audit.report import Change, Report
from drystone.audit.subject import Subject
from drystone.core.errors import DataError

Pair = tuple[Arrangement, Arrangement]


def every_way(subject: Subject, *, extra: int) -> list[Arrangement]:
    """Returns the arrangements that the model must serve alike, sequences in their own order."""
    return ways(subject.takes, subject.lengths, order=range(len(subject.lengths)), extra=extra)


def report_on(
    subject: Subject,
    question: str,
    pairs: Iterable[Pair],
    remedy: str,
    tolerance: float | None,
    *,
    shared: bool = True,
) -> Report:
    """Compares the second arrangement of each pair with the first; gradients of parameters too where `shared`."""
    refuse_unnamed_steps(subject)
    known: dict[Arrangement, Outcome] = {}
    changes: list[Change] = []
    allowed = 0.0
    for before, after in pairs:
        if before not in known:
            known[before], randomness = run_twice(subject, before)
            allowed = tolerance_of(known[before]) if tolerance is None else tolerance
            if over(randomness, allowed):
                return report_of(question, over(randomness, allowed), remedy, allowed, is_random=True)
        found = over(compare(known[before], run(subject, after), after.words, shared=shared), allowed)
        changes += [change for change in found if change.sequence not in after.junk_in]
    return report_of(question, changes, remedy, allowed)


def report_of(
    question: str, changes: Iterable[Change], remedy: str, tolerance: float, *, is_random: bool = False
) -> Report:
    """Keeps the worst change of each result and sequence."""
    worst: dict[tuple[str, int | None], Change] = {}
    for change in sorted(changes, key=lambda change: -change.error):
        worst.setdefault((change.result, change.sequence), change)
    return Report(
        question=question, tolerance=tolerance, changes=tuple(worst.values()), is_random=is_random, remedy=remedy
    )


def over(changes: Iterable[Change], allowed: float) -> list[Change]:
    return [change for change in changes if change.error > allowed]


def run_twice(subject: Subject, arrangement: Arrangement) -> tuple[Outcome, list[Change]]:
    """Returns what a model gives, and how far a second run differs; raises DataError where it gives NaN."""
    first = run(subject, arrangement)
    for name, parts in (first.results | first.gradients).items():
        for number, values in parts.items():
            if values.isnan().any():
                raise DataError(
                    f"{arrangement.words}, the {name} of sequence {number} is NaN: there is nothing to compare."
                )
    for name, values in first.shared.items():
        if values.isnan().any():
            raise DataError(f"{arrangement.words}, the {name} is NaN: there is nothing to compare.")
    return first, list(compare(first, run(subject, arrangement), "in a second run on the same batch", shared=True))


def refuse_unnamed_steps(subject: Subject) -> None:
    """Raises ShapeError where the shape of a result of a sequence follows the columns of the batch."""
    short, long = (run(subject, every_way(subject, extra=extra)[0]) for extra in (0, 1))
    for _ in compare(short, long, "", shared=False):
        pass
