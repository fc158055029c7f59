"""What a check found, in words."""

from dataclasses import dataclass

from drystone.core.errors import AuditError

SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A result that differs where it should not.

    Args:
        result: which: "output", "gradient of output with regard to x", ...
        sequence: whose result, or None where it is of all together (the gradient of a parameter).
        step: the step of the sequence with the largest difference, or None where the result is not by step.
        error: the largest difference, as a fraction of the largest value that the result has in any sequence (of all
            parameters, for the gradient of one); infinite where a value became NaN or infinite.
        where: in which arrangement: "with other values in padded cells".
    """

    result: str
    sequence: int | None
    step: int | None
    error: float
    where: str

    def __str__(self) -> str:
        whose = "" if self.sequence is None else f" of sequence {self.sequence}"
        step = "" if self.step is None else f", step {self.step},"
        return f"{self.where}, the {self.result}{whose}{step} differs by {self.error:.1e} of the largest value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome of one check.

    Args:
        question: what was asked: "Do results depend on what padded cells hold?"
        tolerance: the largest error that passes as rounding.
        changes: what differs by more, the largest first; of each result and sequence the worst.
        is_random: whether two runs on the same batch differ already, so that nothing can be said; `changes` are then
            those between the two runs.
        remedy: what usually mends it.
    """

    question: str
    tolerance: float
    changes: tuple[Change, ...]
    is_random: bool
    remedy: str

    @property
    def passed(self) -> bool:
        """Whether nothing changed."""
        return not self.changes

    def __str__(self) -> str:
        if self.passed:
            return f"{self.question} No: nothing differs by more than {self.tolerance:.0e}."
        shown = "".join(f"\n  {change}" for change in self.changes[:SHOWN])
        rest = f"\n  and {len(self.changes) - SHOWN} more" if len(self.changes) > SHOWN else ""
        if self.is_random:
            return (
                f"{self.question} Not known: two runs on the same batch differ, so the model itself is random, as with "
                f"dropout in training mode. Call model.eval(), or switch off what is random.{shown}{rest}"
            )
        return f"{self.question} Yes: {self.remedy}{shown}{rest}"

    def check(self) -> None:
        """Raises AuditError with the report where something changed, or the model is random."""
        if not self.passed:
            raise AuditError(str(self))
