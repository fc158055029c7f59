"""Metrics over single steps, where batches have several numbers of steps."""

from typing import Any, final

import keras
from keras import ops


@final
@keras.saving.register_keras_serializable(package="drystone")
class EveryStep(keras.metrics.Metric):
    """A metric to which each step is one example, however many steps its batch has.

    Metrics that are means (accuracy, mean errors) need no wrapper: the weights of a `Dataset` make them right. Those
    that count or rank (AUC, Precision, F1Score, ...) would take the steps of long batches for more than those of
    short ones, or know no steps at all.

    Args:
        metric: a `keras.metrics.Metric` over [examples, ...].
        name: what Keras prints; the name of the metric by default.

    Example:
        >>> metric = EveryStep(keras.metrics.Precision())
        >>> metric.update_state([[[1], [0]]], [[[0.9], [0.8]]], sample_weight=[[1.0, 0.0]])
        >>> float(metric.result())
        1.0
    """

    def __init__(self, metric: keras.metrics.Metric, name: str | None = None) -> None:
        super().__init__(name=name or metric.name)
        self.metric = metric

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts [rows, steps, ...] as rows × steps examples."""
        target, output = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        weight = None
        if sample_weight is not None:  # a Dataset's weights hold the number of steps, for the sake of means
            shape: Any = ops.shape(output)
            weight = ops.reshape(ops.cast(sample_weight, self.dtype) / ops.cast(shape[1], self.dtype), (-1,))
        self.metric.update_state(_flat(target), _flat(output), weight)

    def result(self) -> Any:
        """Returns what the metric says of all steps so far."""
        return self.metric.result()

    def reset_state(self) -> None:
        """Forgets all steps."""
        self.metric.reset_state()

    def get_config(self) -> dict[str, Any]:
        return {"metric": keras.saving.serialize_keras_object(self.metric), "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "EveryStep":
        return cls(keras.saving.deserialize_keras_object(config["metric"]), config["name"])


def _flat(values: Any) -> Any:
    return ops.reshape(values, (-1, *values.shape[2:]))
