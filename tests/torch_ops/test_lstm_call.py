"""The call as an operator: it keeps PyTorch's rules, and gives what torch.lstm gives."""

import pytest
import torch
from torch import Tensor, nn

import drystone as ds
from drystone.torch_ops.lstm_call import lstm_call, lstm_layer, lstm_layer_backward


def arguments(dtype: torch.dtype, bias: bool) -> tuple[Tensor, Tensor, Tensor, list[Tensor], bool]:
    torch.manual_seed(0)
    layer = nn.LSTM(3, 8, bias=bias, dtype=dtype)
    shapes = (2, 5, 3), (1, 5, 8), (1, 5, 8)
    x, h, c = (torch.randn(shape, dtype=dtype, requires_grad=True) for shape in shapes)
    return x, h, c, list(layer.parameters()), bias


KINDS = [(torch.float32, True), (torch.float64, False)]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_operator_equals_the_call(kind: tuple[torch.dtype, bool]) -> None:
    x, h, c, parameters, has_bias = arguments(*kind)

    def outcome(results: tuple[Tensor, ...]) -> list[Tensor]:
        loss = sum(part.sin().sum() for part in results)
        return [*results, *torch.autograd.grad(loss, [x, h, c, *parameters])]

    found = outcome(lstm_layer(x, h, c, parameters, has_bias))
    expected = outcome(lstm_call(x, h, c, parameters, has_bias=has_bias))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_operators_keep_the_rules_of_pytorch(kind: tuple[torch.dtype, bool]) -> None:
    given = arguments(*kind)
    torch.library.opcheck(lstm_layer, given)
    gradients = [torch.randn_like(part) for part in lstm_layer(*given)]
    backward = (gradients, *(part.detach() for part in given[:3]), [part.detach() for part in given[3]], *given[4:])
    torch.library.opcheck(lstm_layer_backward, backward)


def test_a_second_derivative_is_refused_in_words() -> None:
    x, *others = arguments(*KINDS[1])
    (gradient,) = torch.autograd.grad(lstm_layer(x, *others)[0].sum(), x, create_graph=True)
    with pytest.raises(ds.ShapeError, match="no second derivative: call the LSTM outside of torch.compile"):
        gradient.sum().backward()
