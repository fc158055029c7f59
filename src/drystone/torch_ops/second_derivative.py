"""What compiled layers say of second derivatives."""

from typing import Any

from drystone.core.errors import ShapeError


def refuse_second_derivative(_ctx: Any, *_gradients: Any) -> None:
    """Raises ShapeError: an operator's gradient has no gradient of its own."""
    raise ShapeError(
        "a compiled LSTM has no second derivative: call the LSTM outside of torch.compile where you need "
        "create_graph=True."
    )
