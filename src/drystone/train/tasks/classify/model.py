"""The classifier: what the head says are logits of the classes."""

from jaxtyping import Float
from torch import Tensor

from drystone.train.tasks.pooled import PooledModel


class SequenceClassifier(PooledModel):
    """Logits of the classes, one row a sequence that ends in the batch."""

    def said(self, outputs: Float[Tensor, "... classes"]) -> Float[Tensor, "... classes"]:
        """Returns the probabilities of the classes."""
        return outputs.double().softmax(dim=-1)
