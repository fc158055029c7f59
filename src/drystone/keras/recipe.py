"""Which fields of the sequences a Keras model is fed: its inputs, its targets and their weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from drystone.core.errors import DataError
from drystone.core.field import Field
from drystone.core.lengths import place_of
from drystone.core.sequences import Sequences

MASKS = ("valid", "reset", "scored", "sequence", "ends", "segment")
Names = str | Sequence[str] | Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Arrays by the names that the model calls them; one array alone where `is_one`.

    Args:
        names: of each array, the field, mask or index that it holds.
        is_one: whether the model takes the array itself rather than a dict.
    """

    names: Mapping[str, str]
    is_one: bool

    @classmethod
    def of(cls, names: Names) -> "Wanted":
        """Reads what a user wrote: one name, a list of them, or a dict of what the model calls them."""
        if isinstance(names, str):
            return cls(names={names: names}, is_one=True)
        pairs = names if isinstance(names, Mapping) else {name: name for name in names}
        if not pairs:
            raise DataError(f"{names!r} names no field; give the name of one, a list of names, or a dict.")
        return cls(names=dict(pairs), is_one=False)

    def built(self, arrays: Mapping[str, Any]) -> Any:
        """Returns the arrays in the form that was asked for."""
        return next(iter(arrays.values())) if self.is_one else dict(arrays)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What becomes of a batch: inputs, targets and weights.

    Args:
        x: the inputs: fields, and "valid", "reset", "scored", "sequence", "ends", "segment".
        y: the targets, or None where there are none.
        weight: the field that weighs them, or None where each counts 1.
        masks: the inputs that are no fields.
        step_fields: the fields asked for that have a value a step.
        float_type: the type of fields of floating-point numbers, and of weights.
    """

    x: Wanted
    y: Wanted | None
    weight: str | None
    masks: frozenset[str]
    step_fields: frozenset[str]
    float_type: str

    @classmethod
    def of(cls, seqs: Sequences, x: Names, y: Names | None, weight: str | None, float_type: str) -> "Recipe":
        """Checks the names, and what the fields hold.

        Raises:
            DataError: no such field, one that holds text or times, or a weight that is no number ≥ 0.
        """
        inputs, targets = Wanted.of(x), None if y is None else Wanted.of(y)
        masks = {name for name in inputs.names.values() if name in MASKS and name not in seqs.field_names}
        used = [*(set(inputs.names.values()) - masks), *(targets.names.values() if targets else ())]
        fields = {name: seqs.field(name) for name in [*used, *([weight] if weight else [])]}
        for field in fields.values():
            _check_numeric(field)
        recipe = cls(
            x=inputs,
            y=targets,
            weight=weight,
            masks=frozenset(masks),
            step_fields=frozenset(name for name, field in fields.items() if field.per_step),
            float_type=float_type,
        )
        if weight is not None:
            recipe._check_weight(seqs, fields[weight])
        return recipe

    @property
    def fields(self) -> frozenset[str]:
        """The fields that batches have to hold."""
        names = {*self.x.names.values(), *(self.y.names.values() if self.y else ()), *filter(None, [self.weight])}
        return frozenset(names - self.masks)

    @property
    def by_ends(self) -> bool:
        """Whether what sequences have one value of comes in the order of `ends`, rather than one a row."""
        return "ends" in self.masks

    @property
    def knows_borders(self) -> bool:
        """Whether the model is told where sequences begin."""
        return not self.masks.isdisjoint({"reset", "sequence"})

    @property
    def targets_by_step(self) -> Mapping[str, bool]:
        """Of each target, whether it has a value a step."""
        return {} if self.y is None else {name: field in self.step_fields for name, field in self.y.names.items()}

    def _check_weight(self, seqs: Sequences, field: Field) -> None:
        targets = self.targets_by_step
        if not targets:
            raise DataError(f"weight={field.name!r} weighs nothing: give y= as well.")
        if field.item_shape:
            raise DataError(f"weight field {field.name!r} holds {field.describe()}; expected one number.")
        if field.per_step and not all(targets.values()):
            name = next(name for name, by_step in targets.items() if not by_step)
            raise DataError(
                f"weight field {field.name!r} has a value a step, and target {name!r} one a sequence; "
                f"give a weight with a value a sequence."
            )
        values = np.asarray(field.values)
        bad = ~(np.isfinite(values) & (values >= 0))
        if bad.any():
            at = int(np.argmax(bad))
            place = seqs.place(*place_of(at, seqs.lengths)) if field.per_step else seqs.place(at)
            raise DataError(f"weight field {field.name!r} is {values[at]} at {place}; expected a number ≥ 0.")


def _check_numeric(field: Field) -> None:
    if field.is_text:
        raise DataError(
            f"field {field.name!r} holds text; Keras needs numbers. Number them first, such as with "
            f"names, labels = numpy.unique(texts, return_inverse=True), and keep the names."
        )
    if not field.is_numeric:
        raise DataError(
            f"field {field.name!r} holds {field.describe()}; Keras needs numbers. Make it numbers first, such as "
            f"seconds since a point in time."
        )
