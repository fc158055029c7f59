"""Who asks for batches: the call of fit, evaluate or predict that is going on."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

import keras

METHODS = ("fit", "evaluate", "predict")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Call:
    """A method of a model that is going on.

    Args:
        model: whose it is.
        method: what it is called.
        arguments: its arguments, by name.
        frame: tells it from other calls of the same method.
    """

    model: keras.Model
    method: str
    arguments: Mapping[str, Any]
    frame: FrameType

    @property
    def runs(self) -> bool:
        """Whether it runs over an epoch; else it looks at a batch, such as to build the model."""
        return self.method in METHODS

    def is_within(self, frame: FrameType | None) -> bool:
        """Whether this call was made by another one that is still going on."""
        outer = self.frame.f_back
        while outer is not None and outer is not frame:
            outer = outer.f_back
        return outer is not None


def calling() -> Call | None:
    """Returns the innermost method of a Keras model among the callers of this function.

    Keras tells a PyDataset that an epoch begins, but not for which model, nor whether it only wants one batch to
    build the model from; the stack of calls says both.
    """
    frame = inspect.currentframe()
    while frame is not None:
        model = frame.f_locals.get("self")
        is_method = frame.f_code.co_varnames[:1] == ("self",)  # and no function within one, as steps on JAX are
        if is_method and isinstance(model, keras.Model):
            return Call(model=model, method=frame.f_code.co_name, arguments=dict(frame.f_locals), frame=frame)
        frame = frame.f_back
    return None
