"""What a view left out or repeated, and why."""

from dataclasses import dataclass

from drystone.core.words import so_many


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewNote:
    """What became of the steps that a view was made from.

    Args:
        view: the call, such as "windows(steps=168, stride=24, horizon=24)".
        left_out_steps: steps that count in the sequences it was made from, and lie in none of its own.
        left_out_sequences: sequences it was made from of which nothing is left.
        repeated_steps: steps it was made from that lie in more than one of its sequences.
        reason: why, in words; "" where there is nothing to say.

    Example:
        >>> print(ViewNote(view="truncate(max_steps=5)", left_out_steps=3, reason="of 1 longer sequence"))
        truncate(max_steps=5): 3 steps left out (of 1 longer sequence)
    """

    view: str
    left_out_steps: int = 0
    left_out_sequences: int = 0
    repeated_steps: int = 0
    reason: str = ""

    def __str__(self) -> str:
        figures = [
            f"{so_many(self.left_out_sequences, 'sequence')} left out" if self.left_out_sequences else "",
            f"{so_many(self.left_out_steps, 'step')} left out" if self.left_out_steps else "",
            f"{so_many(self.repeated_steps, 'step')} repeated" if self.repeated_steps else "",
        ]
        words = ", ".join(figure for figure in figures if figure)
        if self.reason:
            words = f"{words} ({self.reason})" if words else self.reason
        return f"{self.view}: {words}" if words else self.view
