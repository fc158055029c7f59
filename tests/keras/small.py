"""Small sequences and models for the tests of drystone.keras."""

from typing import Any

import keras
import numpy as np

from drystone import Bucketed, Layout, Loader, Packed, Padded, Sequences, Stateful

LENGTHS = [5, 1, 7, 3, 3, 8, 2, 6, 4, 1, 7]
Array = np.ndarray[Any, Any]

ONE_A_ROW: list[Layout] = [Padded(4), Bucketed(boundaries=(3, 6), batch_size=(4, 3, 2))]
SEVERAL_A_ROW: list[Layout] = [
    Packed(rows=2, steps=9),
    Packed(sequences=4),
    Packed(rows=2, steps=6, long="stateful"),
    Stateful(rows=2, steps=4),
]
LAYOUTS = [*ONE_A_ROW, *SEVERAL_A_ROW]


def sequences(lengths: list[int] | None = None) -> Sequences:
    """x and t with a value a step, y and w with one a sequence, n the number of the step (from 1) in all of them."""
    rng = np.random.default_rng(0)
    sizes = np.array(LENGTHS if lengths is None else lengths)
    numbers = np.split(np.arange(1, sizes.sum() + 1), np.cumsum(sizes)[:-1])
    return Sequences.from_arrays(
        per_step={
            "x": [rng.normal(size=(size, 2)) for size in sizes],
            "t": [rng.normal(size=size) for size in sizes],
            "k": [rng.integers(0, 2, size) for size in sizes],
            "n": numbers,
            "v": [rng.random(size) for size in sizes],
        },
        per_sequence={
            "y": rng.normal(size=len(sizes)),
            "w": rng.random(len(sizes)),
            "text": [f"label {size}" for size in sizes],
        },
    )


def loader(layout: Layout, seqs: Sequences | None = None, seed: int = 1) -> Loader:
    return Loader(sequences() if seqs is None else seqs, layout, seed=seed)


def gathered() -> keras.Model:
    """Sees single steps, and gives an output for each of `ends`: exact over any layout, without a recurrent layer."""
    x, reset = keras.Input((None, 2), name="x"), keras.Input((None,), dtype="bool", name="reset")
    ends = keras.Input((), dtype="int32", name="ends")
    return keras.Model({"x": x, "ends": ends, "reset": reset}, keras.layers.Dense(1)(_Gather()([x, ends, reset])))


def by_step(outputs: int = 1) -> keras.Model:
    """One Dense layer on single steps, which is right over any layout; `reset` goes in and is not used."""
    x, reset = keras.Input((None, 2), name="x"), keras.Input((None,), dtype="bool", name="reset")
    return keras.Model({"x": x, "reset": reset}, keras.layers.Dense(outputs, name="t")(First()([x, reset])))


class First(keras.layers.Layer):
    """Passes on the first input, and takes the others because a model may have no input that leads nowhere."""

    def call(self, inputs: Any) -> Any:
        return inputs[0]


class _Gather(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        x, ends, _ = inputs
        return keras.ops.take(keras.ops.reshape(x, (-1, 2)), ends, axis=0)


def numbers_of(model: keras.Model) -> tuple[Array, Array]:
    """The weight and bias of a model's one Dense layer."""
    weight, bias = (keras.ops.convert_to_numpy(each) for each in model.trainable_variables)
    return weight.astype(np.float64), bias.astype(np.float64)
