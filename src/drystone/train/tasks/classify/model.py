"""The classifier: what the head says are logits of the classes, or of each label's yes."""

from jaxtyping import Float
from torch import Tensor

from drystone.train.model import ModelSpec
from drystone.train.tasks.outputs.outputs import Outputs
from drystone.train.tasks.pooled import PooledModel


class SequenceClassifier(PooledModel):
    """Logits, one row a sequence that ends in the batch."""

    def __init__(self, spec: ModelSpec, outputs: Outputs) -> None:
        super().__init__(spec)
        self.outputs = outputs

    def said(self, outputs: Float[Tensor, "... outputs"]) -> Float[Tensor, "... outputs"]:
        """Returns probabilities."""
        return self.outputs.readable(outputs.double())
