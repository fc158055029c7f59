"""The batches of update after update, epoch after epoch, with a loader whose position stays that of the last update."""

from itertools import islice

from drystone.core.batch import Batch
from drystone.core.errors import StreamError
from drystone.core.loader import Loader
from drystone.core.passes import Pass

MAX_SEQUENCES_SHOWN = 8


class Feed:
    """Takes the batches of one update after the other from a loader.

    Args:
        loader: from its position on.
        batches_per_update: how many make an update; the last update of an epoch may have fewer.
    """

    def __init__(self, loader: Loader, batches_per_update: int) -> None:
        self.loader = loader
        self._batches_per_update = batches_per_update
        self._pass: Pass | None = None
        self._num_batches: int | None = None
        self._left: int | None = None

    def take(self) -> tuple[Batch, ...]:
        """Returns the batches of the next update; none where an epoch ends just here."""
        if self._pass is None:
            self._num_batches = _count(self.loader)
            if self._num_batches is not None:
                self._left = self._num_batches - self.loader.state_dict()["batches"]
            self._pass = iter(self.loader)
        most = self._batches_per_update if self._left is None else min(self._batches_per_update, self._left)
        found = tuple(islice(self._pass, most))
        if self._left is not None:
            self._left -= len(found)
        if not found:
            self.finish()  # an epoch without batches
        if self._pass is not None and self._pass.is_over:
            self._pass = None
        return found

    def finish(self) -> None:
        """Ends the epoch with its last update, which was made just now, and not when one more is asked for."""
        if self._pass is not None and self._left == 0:
            next(self._pass, None)
            self._pass = None

    def share(self, batches: int) -> float:
        """Returns which share of the epoch so many batches are; 0 where the end is not known."""
        if self._num_batches is None:
            self._num_batches = _count(self.loader)
        return batches / self._num_batches if self._num_batches else 0.0

    def close(self) -> None:
        """Ends the pass; the loader stays at the last update."""
        if self._pass is not None:
            position = self.loader.state_dict()
            self._pass.close()
            self._pass = None
            self.loader.load_state_dict(position)

    def in_words(self, batches: tuple[Batch, ...]) -> str:
        """Names the sequences of some batches, as the user knows them."""
        numbers = list(dict.fromkeys(number for batch in batches for number in batch.spans.sequence.tolist()))
        shown = [_place(self.loader, number) for number in numbers[:MAX_SEQUENCES_SHOWN]]
        return "; ".join(shown) + (f"; and {len(numbers) - len(shown)} more" if len(numbers) > len(shown) else "")


def _count(loader: Loader) -> int | None:
    try:
        return len(loader)
    except StreamError:
        return None


def _place(loader: Loader, sequence: int) -> str:
    try:
        return loader.seqs.place(sequence)
    except StreamError:
        return f"sequence {sequence}"
