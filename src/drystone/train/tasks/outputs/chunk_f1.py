"""The F1 of chunks, by which taggers of names, phrases and slots are compared."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from drystone.text.chunks import ChunkCounts, chunks_by_number, counts_of
from drystone.text.tags import Tags


class ChunkF1(Metric):
    """The F1 of all chunks together, counted as the CoNLL script counts them: see `drystone.text.chunks.chunks_of`.

    What is said of single steps is kept, and chunks are found in the end, so that they may cross batches. A chunk ends where
    the next step of its sequence was not scored.

    Args:
        names: the tags, by their numbers.

    Example:
        >>> metric = ChunkF1(["O", "B-city", "I-city"])
        >>> places = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
        >>> metric.update(torch.tensor([1, 2, 1, 0]), torch.tensor([1, 2, 1, 2]), places)
        >>> metric.compute(), metric.counts()
        (tensor(0.5000, dtype=torch.float64), ChunkCounts(correct=1, predicted=2, true=2))
    """

    full_state_update = False
    higher_is_better = True
    steps: list[Tensor]

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self._tags = Tags(names)
        self.add_state("steps", [], dist_reduce_fx="cat")

    def update(self, preds: Tensor, target: Tensor, places: Tensor) -> None:
        """Adds steps, in any order.

        Args:
            preds: [steps] the numbers of the tags that are said, or [steps, tags] a score of each.
            target: [steps] those that are true.
            places: [steps, 2] the sequence and the step of each; no step comes twice.
        """
        said = preds.argmax(dim=1) if preds.ndim > 1 else preds
        self.steps.append(torch.cat([places.to(said.device), said[:, None], target[:, None]], dim=1).long())

    def counts(self) -> ChunkCounts:
        """Returns how many chunks are right, said and true; precision and recall too."""
        if not self.steps:
            return ChunkCounts(correct=0, predicted=0, true=0)
        sequence, step, said, true = dim_zero_cat(self.steps).cpu().numpy().T
        order = np.lexsort((step, sequence))
        sequence, step = sequence[order], step[order]
        starts = np.flatnonzero((np.diff(sequence, prepend=-1) != 0) | (np.diff(step, prepend=-1) != 1))
        lengths = np.diff(starts, append=len(order))
        return counts_of(*(chunks_by_number(self._tags, tags[order], lengths) for tags in (said, true)))

    def compute(self) -> Tensor:
        """Returns 2 × correct ÷ (said + true); 0 where there are no chunks."""
        return torch.tensor(self.counts().f1, dtype=torch.float64)
