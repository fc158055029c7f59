"""The batches of a loader as a Keras data set, which `fit`, `evaluate` and `predict` take."""

from collections.abc import Generator
from threading import Lock
from types import FrameType
from typing import Any, NoReturn, final

import keras

from drystone.core.errors import DataError, DrystoneError
from drystone.core.loader import Loader
from drystone.keras.batch_count import BatchCount
from drystone.keras.caller import Call, calling
from drystone.keras.check import check_outputs_join, check_source
from drystone.keras.recipe import Names
from drystone.keras.source import Source

STEPS = ("steps_per_epoch", "steps")


@final
class Dataset(keras.utils.PyDataset):
    """Feeds the batches of a loader, of any layout, to a Keras model.

    Each epoch of `fit`, each `evaluate` and `predict`, and each pass of a loop of one's own is the loader's next epoch,
    in the order of its plan: the same seed gives the same batches as in PyTorch, whatever Keras shuffles. It starts
    at the first batch of `loader.epoch`: set that to go on with a training that stopped (a position within an epoch
    has no effect here). An epoch that Keras does not finish is the next one again. Training and `validation_data` take
    a loader each: of one for both, validation would use up every second epoch.

    The printed loss and `weighted_metrics` are sums over sums: of real, scored steps, or of sequences, over the whole
    epoch. Weights are scaled for that, so their mean is about 1. `WeightedMean` also makes each update's gradient that
    of Σ weighted loss ÷ Σ weight. Class weights go into a field, which `weight` names.

    Batches of equal steps have equal rows, and all have as many `ends` a row, so that there are few shapes. What is
    added weighs 0, and a row that holds nothing has column 0 marked valid, for kernels that forbid empty rows.

    Args:
        loader: over sequences that are all there; it reads ahead by itself.
        x: what goes in: the name of a field, a list of names, or a dict of what the model calls them. "valid", "reset",
            "scored", "sequence", "ends" and "segment" stand for the masks and indices of a batch, unless a field has
            that name.
            Fields with a value a step are [rows, steps, ...]; those with one a sequence [rows, ...], or, with "reset"
            or "sequence" among x, repeated at each step: [rows, steps, ...]. "ends" (int32 [ends], the cells row ×
            steps + step where sequences have their last steps, −1 at fillers) and "segment" (int32 [rows, steps], which
            of the ends the sequence in a cell has, or −1) are what `BySequence` takes. Whole numbers come as int32.
        y: the targets, named likewise; None for `predict`. With a value a step: [rows, steps, ...], of a single number
            [rows, steps, 1]. With one a sequence: [rows, ...], or, with "ends" among x, [ends, ...] in their order.
        weight: a field of numbers ≥ 0 that weighs sequences or steps; each counts 1 by default, and steps that are
            not scored 0.

    Raises:
        DataError: no such field, or one of text; sequences that start inside rows, and x without "reset"; targets
            by sequence where rows hold several, and x without "ends". In `predict`, but on TensorFlow: outputs a step
            of batches of several numbers of steps, which Keras cannot join; use `predict_on_batch`.
        StreamError: a loader over a Stream.

    Example:
        >>> import drystone as ds
        >>> seqs = ds.Sequences.from_arrays({"x": [[[1.0], [2.0]], [[3.0]], [[4.0]]]}, {"y": [0, 1, 1]})
        >>> dataset = Dataset(ds.Loader(seqs, ds.Padded(2, order="given")), x=["x", "valid"], y="y")
        >>> for x, y, weight in dataset:
        ...     print(x["valid"].tolist(), y.tolist(), weight.round(2).tolist())
        [[True, True], [True, False]] [0, 1] [1.0, 1.0]
        [[True]] [1] [1.0]
    """

    def __init__(self, loader: Loader, x: Names = "x", y: Names | None = "y", weight: str | None = None) -> None:
        super().__init__()
        self.source = Source(loader, x, y, weight, keras.config.floatx())
        self._epoch: Generator[tuple[Any, ...], None, None] | None = None
        self._frame: FrameType | None = None
        self._count = len(loader)
        self._lock = Lock()
        self._is_checked = False

    def __len__(self) -> int:
        """The batches of the epoch that is going on, or else of the next one."""
        return self._count if self._epoch is not None else len(self.source.loader)

    @property
    def num_batches(self) -> Any:
        """The number of batches, for Keras to keep over epochs."""
        return BatchCount(lambda: self._count)

    def __iter__(self) -> Generator[tuple[Any, ...], None, None]:
        """Yields the batches of the loader's next epoch, for a loop of one's own."""
        return self.source.epoch()

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        """Returns the next batch of the epoch that is going on; outside one, batch `index` of the next."""
        with self._lock:
            self._leave(calling())
            if self._epoch is None:
                return self._look(index)
            try:
                return next(self._epoch)
            except StopIteration:
                raise IndexError(f"all {self._count} batches of this epoch were taken.") from None

    def on_epoch_begin(self) -> None:
        """Begins the loader's epoch from its first batch."""
        call = calling()
        with self._lock:
            self._leave(call)
            self._close()
        if call is not None:
            self._check(call)
            if not call.runs:
                return
        with self._lock:
            self._epoch = self.source.epoch()
            self._frame = None if call is None else call.frame
            self._count = len(self.source.loader)

    def on_epoch_end(self) -> None:
        """Ends the epoch; where all its batches were taken, the next one is due."""
        with self._lock:
            self._leave(calling())
            if self._epoch is not None:
                next(self._epoch, None)
            self._close()

    def _close(self) -> None:
        if self._epoch is not None:
            self._epoch.close()
        self._epoch = self._frame = None

    def _leave(self, call: Call | None) -> None:
        """Ends an epoch that another call began and ended within; it is an error where that call is going on."""
        if self._epoch is None or call is None or call.frame is self._frame:
            return
        if call.is_within(self._frame):
            raise DrystoneError(
                f"{call.method} asks for batches within an epoch of this Dataset that is still going on; "
                f"make a second Dataset, over a Loader of its own."
            )
        self._close()

    def _look(self, index: int) -> tuple[Any, ...]:
        """Returns a batch outside an epoch. TensorFlow takes the shapes of all from the first two: see that steps differ."""
        widens = index == 1 and keras.backend.backend() == "tensorflow" and self.source.has_equal_steps_at_first
        return self.source.batch(index, extra_steps=int(widens))

    def _check(self, call: Call) -> None:
        for name in STEPS:
            if call.arguments.get(name) is not None:
                raise DataError(
                    f"{call.method}({name}={call.arguments[name]}) would stop within an epoch, and its numbers are made "
                    f"for a whole one. Leave it out; for fewer sequences, take a part of them: seqs.select(...)."
                )
        if call.method == "predict":
            check_outputs_join(call.model, self.source)
        elif not self._is_checked:
            self._is_checked = True
            check_source(call.model, self.source)

    @property
    def workers(self) -> int:
        """One: batches come in the order of the plan."""
        return 1

    @workers.setter
    def workers(self, value: int) -> None:
        _refuse_workers()

    @property
    def use_multiprocessing(self) -> bool:
        """No."""
        return False

    @use_multiprocessing.setter
    def use_multiprocessing(self, value: bool) -> None:
        _refuse_workers()


def _refuse_workers() -> NoReturn:
    raise DataError(
        "a Dataset has no workers: batches come in the order of the plan, and its loader reads ahead by itself; "
        "Loader(read_ahead=...) says how far."
    )
