"""Sequences of what lies in memory, as methods of Sequences."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy.typing as npt

from drystone.core import build
from drystone.core.build import OnEmpty

if TYPE_CHECKING:
    from drystone.core.sequences import Sequences


class FromMemory:
    """Sequences made from arrays: one a sequence, all end to end, or padded."""

    @classmethod
    def from_arrays(
        cls,
        per_step: Mapping[str, Sequence[Any]],
        per_sequence: Mapping[str, Any] | None = None,
        *,
        text: str | None = None,
        on_empty: OnEmpty = "error",
    ) -> "Sequences":
        """Makes sequences from one array a sequence and field; values are copied once.

        Args:
            per_step: of each field, a list of arrays [steps, *shape], one a sequence.
            per_sequence: of each field, an array or list [sequences, *shape].
            text: the field of `per_step` that holds documents, one str a sequence: their characters are its steps.
            on_empty: "drop" leaves out sequences of 0 steps and lists them in `dropped`.

        Raises:
            DataError: fields of unequal length, steps of unequal shape, empty sequences, documents that are no str.

        Example:
            >>> from drystone import Sequences
            >>> Sequences.from_arrays(per_step={"review": ["some text", "more"]}, text="review")
            Sequences(2 sequences of 4 to 9 steps; text: review)
        """
        return _kind(cls).from_parts(build.parts_from_arrays(per_step, per_sequence or {}, text), on_empty, text=text)

    @classmethod
    def from_ragged(
        cls,
        offsets: npt.ArrayLike,
        per_step: Mapping[str, Any],
        per_sequence: Mapping[str, Any] | None = None,
        *,
        on_empty: OnEmpty = "error",
    ) -> "Sequences":
        """Makes sequences from values laid end to end, without a copy.

        Args:
            offsets: [sequences + 1] rising whole numbers; sequence i holds the values offsets[i] … offsets[i + 1] − 1.
            per_step: of each field, an array [steps of all sequences, *shape] (NumPy or Arrow).
            per_sequence: of each field, an array [sequences, *shape].
            on_empty: "drop" leaves out sequences of 0 steps and lists them in `dropped`.

        Raises:
            DataError: offsets that fall or do not fit the values, empty sequences.

        Example:
            >>> import numpy as np
            >>> from drystone import Sequences
            >>> Sequences.from_ragged([0, 2, 3], per_step={"x": np.array([1.0, 2.0, 3.0])}).lengths
            array([2, 1])
        """
        return _kind(cls).from_parts(build.parts_from_ragged(offsets, per_step, per_sequence or {}), on_empty)

    @classmethod
    def from_padded(
        cls,
        per_step: Any,
        per_sequence: Mapping[str, Any] | None = None,
        *,
        lengths: npt.ArrayLike | None = None,
        mask: npt.ArrayLike | None = None,
        side: Literal["right", "left"] = "right",
        on_empty: OnEmpty = "error",
    ) -> "Sequences":
        """Makes sequences from arrays that are padded already, without a copy.

        Args:
            per_step: an array [sequences, steps, *shape] (it becomes the field "x"), or a dict of such arrays.
            per_sequence: of each field, an array [sequences, *shape].
            lengths: [sequences], how many steps are real; give this or `mask`.
            mask: [sequences, steps], true at real steps; a run without gaps in each row, wherever it lies.
            side: on which side the padding lies, with `lengths`.
            on_empty: "drop" leaves out sequences of 0 steps and lists them in `dropped`.

        Raises:
            DataError: shapes that do not fit, a mask with gaps, empty sequences.

        Example:
            >>> import numpy as np
            >>> from drystone import Sequences
            >>> Sequences.from_padded(np.array([[1.0, 2.0], [3.0, 0.0]]), lengths=[2, 1])[1]
            {'x': array([3.])}
        """
        named: Mapping[str, Any] = per_step if isinstance(per_step, Mapping) else {"x": per_step}  # pyright: ignore[reportUnknownVariableType]
        return _kind(cls).from_parts(build.parts_from_padded(named, per_sequence or {}, lengths, mask, side), on_empty)


def _kind(of: type[FromMemory]) -> "type[Sequences]":
    return cast("type[Sequences]", of)
