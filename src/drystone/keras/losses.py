"""The loss of the contract: each update's Σ weighted loss ÷ Σ weight, and an epoch's, printed."""

from typing import Any, final

import keras
from keras import ops


@final
@keras.saving.register_keras_serializable(package="drystone")
class WeightedMean(keras.losses.Loss):
    """A loss whose gradient is that of Σ weighted loss ÷ Σ weight over an update.

    Its value is the one from which Keras' mean over an epoch of a `Dataset` becomes Σ weighted loss ÷ Σ weight over
    the whole epoch: the printed loss is that, exactly. Masks of layers change neither; the weights alone decide.

    Without it, `fit` prints the same numbers, but each update's gradient is Σ weighted loss × rows of the epoch ÷
    (Σ weight of the epoch × rows of the update): a batch of short sequences makes a smaller update.

    Args:
        loss: what Keras calls a loss: a name, a function, or a `keras.losses.Loss`, whose reduction has no effect.
        name: what Keras calls it.

    Example:
        >>> import numpy as np
        >>> loss = WeightedMean("mean_absolute_error")
        >>> y, output = np.zeros((1, 2, 1)), np.array([[[3.0], [100.0]]])
        >>> float(loss(y, output, sample_weight=np.array([[2.0, 0.0]])))  # the weight × 2 steps ÷ 1 that counts
        3.0
    """

    def __init__(self, loss: Any, name: str = "weighted_mean") -> None:
        super().__init__(name=name)
        self.loss: Any = keras.losses.get(loss)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        losses: Any = self.call(y_true, y_pred)
        if sample_weight is None:
            return ops.mean(losses)
        weight: Any = ops.cast(sample_weight, losses.dtype)
        inner = tuple(range(len(weight.shape), len(losses.shape)))
        weighted = weight * (ops.mean(losses, axis=inner) if inner else losses)
        printed = ops.mean(weighted)
        of_update = ops.divide_no_nan(ops.sum(weighted), ops.sum(weight))
        return of_update + ops.stop_gradient(printed - of_update)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the losses of single steps or sequences."""
        # in the loss's type, as Keras does: half precision holds neither large labels nor sums over many steps
        output: Any = ops.cast(ops.convert_to_tensor(y_pred), self.dtype)
        target: Any = ops.cast(ops.convert_to_tensor(y_true), self.dtype)
        if len(target.shape) == len(output.shape) - 1 and output.shape[-1] == 1:
            target = ops.expand_dims(target, -1)
        of_one = self.loss.call if isinstance(self.loss, keras.losses.Loss) else self.loss
        return of_one(target, output)

    def get_config(self) -> dict[str, Any]:
        return {"loss": keras.losses.serialize(self.loss), "name": self.name}
