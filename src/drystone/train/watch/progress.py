"""A live progress bar on a terminal or in a notebook; now and then a line elsewhere."""

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from drystone.train.loop.events import Ended, EpochEnded, Evaluated, Event, Updated
from drystone.train.loop.recipe import Recipe

NUM_LINES = 10  # how many lines a whole training prints where no live bar can be shown


class Progress:
    """Shows how far training is, its loss, real steps per second, and the last evaluation.

    Args:
        recipe: with the limits of the training.
        is_shown: whether anything is shown.
    """

    def __init__(self, recipe: Recipe, *, is_shown: bool) -> None:
        self._console = Console(stderr=True, quiet=not is_shown)
        self._is_live = self._console.is_terminal or self._console.is_jupyter
        self._recipe = recipe
        self._epoch, self._loss, self._weight, self._steps, self._seconds = 0, 0.0, 0.0, 0, 0.0
        self._evaluation = ""
        self._progress, self._lines = 0.0, 0
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not (is_shown and self._is_live),
        )
        self._task = self._bar.add_task("", total=1.0, figures="")

    def __enter__(self) -> "Progress":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def say(self, words: str) -> None:
        """Prints a line beside the bar, if anything is shown."""
        self._console.print(words, highlight=False)

    def __call__(self, event: Event) -> None:
        if self._console.quiet:
            return
        if isinstance(event, Updated):
            self._add(event)
            self._show_bar(event)
        elif isinstance(event, Evaluated):
            named = {
                name: event.figures[name] for name in event.figures if name not in ("sequences", "steps", "seconds")
            }
            self._evaluation = "  valid" + "".join(f" {name} {value:.3f}" for name, value in named.items())
        elif isinstance(event, EpochEnded):
            self._print_line(event)
        elif isinstance(event, Ended) and event.reason not in ("epochs", "updates", "seconds"):
            self._console.print(f"{event.reason} after epoch {event.epoch}", highlight=False)

    def _add(self, event: Updated) -> None:
        if event.epoch != self._epoch:
            self._epoch, self._loss, self._weight, self._steps, self._seconds = event.epoch, 0.0, 0.0, 0, 0.0
        self._progress = event.progress
        self._loss += event.loss * event.weight
        self._weight += event.weight
        self._steps += event.steps
        self._seconds += event.seconds

    def _show_bar(self, event: Updated) -> None:
        if self._is_live:
            figures = f"loss {self._loss / (self._weight or 1.0):.3f}  {self._steps / self._seconds:,.0f} steps/s"
            self._bar.update(
                self._task,
                completed=event.progress,
                description=self._place(event.epoch + 1, event.update),
                figures=figures + self._evaluation,
            )

    def _print_line(self, event: EpochEnded) -> None:
        if self._is_live or int(self._progress * NUM_LINES + 1e-9) <= self._lines:
            return
        self._lines = int(self._progress * NUM_LINES + 1e-9)
        loss, speed = event.figures["loss"], event.figures["steps"] / event.figures["seconds"]
        place = self._place(event.epoch + 1, event.update)
        self._console.print(f"{place}  loss {loss:.3f}  {speed:,.0f} steps/s{self._evaluation}", highlight=False)

    def _place(self, epoch: int, update: int) -> str:
        recipe = self._recipe
        if recipe.updates is not None:
            return f"update {update}/{recipe.updates}"
        return f"epoch {epoch}/{recipe.epochs}" if recipe.epochs is not None else f"epoch {epoch}"
