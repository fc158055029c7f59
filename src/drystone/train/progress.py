"""A live progress bar on a terminal or in a notebook; now and then a line elsewhere."""

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from drystone.train.history import EpochSums

NUM_LINES = 10  # how many lines a whole training prints where no live bar can be shown


class Progress:
    """Shows how far training is, its loss, and real steps per second.

    Args:
        epochs: of the whole training.
        steps: real steps an epoch.
        is_shown: whether anything is shown.
    """

    def __init__(self, epochs: int, steps: int, *, is_shown: bool) -> None:
        self._console = Console(stderr=True, quiet=not is_shown)
        self._is_live = self._console.is_terminal or self._console.is_jupyter
        self._epochs = epochs
        self._steps = steps
        self._bar = Bar(
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not (is_shown and self._is_live),
        )
        self._task = self._bar.add_task("", total=epochs * steps, epoch=1, epochs=epochs, figures="")

    def __enter__(self) -> "Progress":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, sums: EpochSums) -> None:
        """Shows the epoch so far."""
        done = sums.epoch * self._steps + sums.steps
        self._bar.update(self._task, completed=done, epoch=sums.epoch + 1, figures=_figures(sums))

    def end_epoch(self, sums: EpochSums) -> None:
        """Prints a line at some of the epochs, where no bar is live."""
        number = sums.epoch + 1
        if self._is_live or (number * NUM_LINES // self._epochs == sums.epoch * NUM_LINES // self._epochs):
            return
        self._console.print(f"epoch {number}/{self._epochs}  {_figures(sums)}", highlight=False)


def _figures(sums: EpochSums) -> str:
    return f"loss {sums.loss:.3f}  {sums.steps_per_second:,.0f} steps/s"
