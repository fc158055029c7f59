"""The regressor: what the head says are the numbers of a sequence, in units of their standard deviation."""

from jaxtyping import Float
from torch import Tensor

from drystone.train.model import ModelSpec
from drystone.train.tasks.pooled import PooledModel
from drystone.train.tasks.scaled import ScaledTargets


class SequenceRegressor(PooledModel, ScaledTargets):
    """Numbers in units of their standard deviation, one row a sequence that ends in the batch."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.hold_target_statistics(spec.num_outputs)

    def said(self, outputs: Float[Tensor, "... numbers"]) -> Float[Tensor, "... numbers"]:
        """Returns the numbers in their own units."""
        return self.in_units(outputs)
