"""The batches of a loader as a tf.data.Dataset."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import keras

from drystone.core.errors import DrystoneError
from drystone.core.loader import Loader
from drystone.keras.recipe import Names
from drystone.keras.source import Source

if TYPE_CHECKING:
    import tensorflow as tf

EPOCHS_COMPARED = 3


def to_tf_dataset(
    loader: Loader, x: Names = "x", y: Names | None = "y", weight: str | None = None
) -> "tf.data.Dataset":
    """Returns the batches of a loader as a `tf.data.Dataset`, prefetched; each pass over it is the loader's next epoch.

    Shapes, weights and order are those of `Dataset`; rows, steps and ends are None in its element spec. It suits
    loops of one's own with `tf.GradientTape`. In `fit`, `Dataset` is the better choice: Keras holds a tf.data.Dataset
    to one number of batches, which differs from epoch to epoch under Packed(rows, steps) and under Bucketed(cells).

    Args:
        loader: over sequences that are all there.
        x: as in `Dataset`.
        y: as there.
        weight: as there.

    Raises:
        DrystoneError: TensorFlow is not installed.
        DataError, StreamError: as in `Dataset`.

    Example:
        >>> import drystone as ds
        >>> seqs = ds.Sequences.from_arrays({"x": [[[1.0], [2.0]], [[3.0]], [[4.0]]]}, {"y": [0, 1, 1]})
        >>> dataset = to_tf_dataset(ds.Loader(seqs, ds.Padded(2, order="given")))
        >>> [x.shape.as_list() for x, y, weight in dataset], dataset.element_spec[0].shape.as_list()
        ([[2, 2, 1], [1, 1, 1]], [None, None, 1])
    """
    if find_spec("tensorflow") is None:
        raise DrystoneError("to_tf_dataset needs TensorFlow, which is not installed: pip install tensorflow")
    import tensorflow as tf

    source = Source(loader, x, y, weight, keras.config.floatx())

    def spec_of(array: Any, longer: Any) -> tf.TensorSpec:
        """Rows, and all that grows with the steps, are None."""
        sizes = zip(array.shape[1:], longer.shape[1:], strict=True)
        return tf.TensorSpec([None, *(size if size == other else None for size, other in sizes)], array.dtype)

    spec = keras.tree.map_structure(spec_of, source.batch(0), source.batch(0, extra_steps=1))
    dataset = tf.data.Dataset.from_generator(lambda: _one_behind(source.epoch()), output_signature=spec)
    first, *later = (
        loader.layout.plan(loader.seqs, loader.seed, loader.epoch + ahead).num_batches
        for ahead in range(EPOCHS_COMPARED)
    )
    if all(number == first for number in later):
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(first))
    return dataset.prefetch(tf.data.AUTOTUNE)


def _one_behind(batches: Iterator[Any]) -> Iterator[Any]:
    """Yields each batch when the next one is there, so that the epoch is over when the last one is handed out.

    Who counts batches, as Keras does, never asks for one after the last.
    """
    last = next(batches)
    for following in batches:
        yield last
        last = following
    yield last
