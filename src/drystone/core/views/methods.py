"""The views as methods of Sequences."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from drystone.core.views.ahead import ahead
from drystone.core.views.counting import Counting
from drystone.core.views.cut import cut
from drystone.core.views.join import join
from drystone.core.views.split import Context, split_by_time
from drystone.core.views.truncate import Keep, truncate
from drystone.core.views.windows import windows

if TYPE_CHECKING:
    from drystone.core.sequences import Sequences


class Views(Counting):
    """Sequences made from these without a copy of values; `notes` says what each left out or repeated."""

    def windows(self, steps: int, stride: int | None = None, horizon: int = 0) -> "Sequences":
        """Returns windows of equal length, every `stride` steps of each sequence, never across its borders.

        The first window of a sequence is the earliest in which a step is scored. Steps at the end that fill no
        window are left out, and so are sequences shorter than one.

        Args:
            steps: steps of a window, ≥ 1.
            stride: steps from the start of one window to that of the next, ≥ 1; `steps` by default.
            horizon: how many steps after a window are its targets, ≥ 0: as many as the greatest offset of `ahead`.
                With 1 or more, a window exists only where these steps do, and only its last step is scored.

        Raises:
            DataError: a number out of range.

        Example:
            >>> from drystone import Sequences
            >>> load = Sequences.from_arrays(per_step={"load": [[1, 2, 3, 4, 5, 6, 7]]})
            >>> load.windows(3, stride=2, horizon=2).field("load").values.reshape(-1, 3)
            array([[1, 2, 3],
                   [3, 4, 5]])
        """
        return windows(self._seqs, steps, stride, horizon)

    def cut(self, parts: int, lead: int = 0) -> "Sequences":
        """Returns each sequence cut into consecutive parts, so that one long series fills many rows.

        Each step that is scored is scored in exactly one part; targets may lie in the next part. Steps of a
        sequence that are not scored at its start stay with its first part.

        Args:
            parts: how many of each sequence, ≥ 1; the first ones are longer by one step where it does not divide
                evenly, and a sequence of fewer steps gives fewer parts.
            lead: how many steps before a part run, to warm up the state, and are not scored, ≥ 0.

        Raises:
            DataError: a number out of range.

        Example:
            >>> from drystone import Sequences
            >>> parts = Sequences.from_arrays(per_step={"x": [[1, 2, 3, 4, 5]]}).cut(2, lead=1)
            >>> [part["x"].tolist() for part in parts], parts.scored_steps()[0]
            ([[1, 2, 3], [3, 4, 5]], array([0, 1]))
        """
        return cut(self._seqs, parts, lead)

    def join(self, by: str | None = None) -> "Sequences":
        """Returns one sequence made of all, in their order, so that the state crosses the borders.

        Values are copied, once, only where the sequences do not lie one after the other in memory. Fields with a
        value a sequence are kept where it is the same in all that are joined.

        Args:
            by: a field with a value a sequence; those of equal value are joined. All by default.

        Raises:
            DataError: no such field, or sequences whose first or last steps are not scored.

        Example:
            >>> from drystone import Sequences
            >>> days = Sequences.from_arrays(per_step={"x": [[1, 2], [7], [3]]}, per_sequence={"pump": ["a", "b", "a"]})
            >>> [pump["x"].tolist() for pump in days.join(by="pump")]
            [[1, 2, 3], [7]]
        """
        return join(self._seqs, by)

    def truncate(self, max_steps: int, keep: Keep = "first") -> "Sequences":
        """Returns the sequences, the longer ones shortened; what is lost is counted, and is no target either.

        Args:
            max_steps: ≥ 1.
            keep: the "first" or the "last" steps.

        Raises:
            DataError: a number out of range, or another word.

        Example:
            >>> from drystone import Sequences
            >>> Sequences.from_arrays(per_step={"x": [[1, 2, 3], [4]]}).truncate(2).notes[0].left_out_steps
            1
        """
        return truncate(self._seqs, max_steps, keep)

    def ahead(self, field: str, offsets: Iterable[int], name: str | None = None) -> "Sequences":
        """Returns the sequences with one more field a step: the values that come later in another field.

        It is gathered when it is asked for. Targets reach past the end of a window or a part, up to the end of the
        sequence that it was made from (in a split, of the part). A value that does not exist is 0, and its step is
        valid and not scored.

        Args:
            field: with a value a step, of numbers.
            offsets: how many steps ahead each value lies, whole numbers ≥ 1, such as range(1, 25).
            name: of the new field, [steps, offsets, *shape of `field`]; "{field}_ahead" by default.

        Raises:
            DataError: no such field, text, an offset below 1, or a name that is taken.

        Example:
            >>> from drystone import Sequences
            >>> seqs = Sequences.from_arrays(per_step={"load": [[1, 2, 3, 4]]}).ahead("load", [1, 2])
            >>> seqs[0]["load_ahead"].tolist()
            [[2, 3], [3, 4], [4, 0], [0, 0]]
        """
        return ahead(self._seqs, field, offsets, name)

    def split_by_time(
        self,
        *,
        at: Sequence[Any] | None = None,
        fractions: Sequence[float] | None = None,
        field: str | None = None,
        context: Context = None,
    ) -> "tuple[Sequences, ...]":
        """Returns one Sequences a part, such as training, validation and test: no two score the same target.

        Split first, then make windows: windows that lie across a border lose their targets.

        Args:
            at: the times where each part but the first begins, rising; the same for all sequences.
            fractions: the share of each part, adding up to 1. With a field of times, parts begin at the times that
                divide all steps so; without one, each sequence is cut at its own steps, rounded to whole ones.
            field: of the times, a number or timestamp a step; what the data are ordered by by default.
            context: how far the inputs of a part reach back into earlier parts. None: not at all; "before": to the
                start of the sequence; a number: so many steps. These steps run and are not scored, except that a
                step whose targets (see `ahead`) all lie in the part is.

        Raises:
            DataError: borders that do not rise or leave a part empty, fractions that do not add up to 1, times that
                are missing or fall.

        Example:
            >>> from drystone import Sequences
            >>> load = Sequences.from_arrays(per_step={"load": [[1, 2, 3, 4, 5, 6]]}).ahead("load", [1])
            >>> train, test = load.split_by_time(fractions=(0.5, 0.5), context=2)
            >>> train[0]["load"], train.scored_steps()
            (array([1, 2, 3]), (array([0]), array([2])))
            >>> test[0]["load"], test.scored_steps()
            (array([2, 3, 4, 5, 6]), (array([1]), array([4])))
        """
        return split_by_time(self._seqs, at, fractions, field, context)
