"""Event files for TensorBoard."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from drystone.core.extras import need
from drystone.train.loop.events import EpochEnded, Evaluated, Event, Updated


class TensorBoard:
    """Writes loss, learning rate and gradient norm of every update, and the figures of epochs and evaluations.

    Args:
        folder: of the event files.
        first_update: the update that training goes on from; what was written of later ones is hidden.
    """

    def __init__(self, folder: Path, first_update: int) -> None:
        need("tensorboard", "tensorboard")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what TensorBoard imports
            from torch.utils.tensorboard.writer import SummaryWriter
        self._writer = SummaryWriter(str(folder), purge_step=first_update + 1)

    def __enter__(self) -> "TensorBoard":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Updated):
            figures = {"loss": event.loss, "learning_rate": event.learning_rate, "seconds": event.seconds}
            if event.gradient_norm is not None:
                figures["gradient_norm"] = event.gradient_norm
            self._add("update", figures, event.update)
        elif isinstance(event, EpochEnded):
            self._add("train", event.figures, event.update)
        elif isinstance(event, Evaluated):
            self._add("valid", event.figures, event.update)

    def _add(self, part: str, figures: Mapping[str, float], update: int) -> None:
        for name, value in figures.items():
            self._writer.add_scalar(f"{part}/{name}", value, update)
