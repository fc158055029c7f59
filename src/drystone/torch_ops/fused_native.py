"""The native recurrence, as functions of tensors; which of its builds runs, and on which threads."""

import ctypes
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from drystone.core.errors import ConfigError
from drystone.native.choose import is_built, is_off

BUILD_VARIABLE = "DRYSTONE_SIMD"


def _find_builds() -> tuple[str, ...]:
    if is_off or not is_built:
        return ()
    from drystone.native import _native

    return tuple(_native.lstm_builds()) if hasattr(_native, "lstm_builds") else ()


def _why_missing() -> str | None:
    if is_off:
        return "the native core is switched off by DRYSTONE_NATIVE=0"
    if not is_built:
        return "the native core is not built: install a C++ compiler, then drystone again"
    return None if BUILDS else "the compiler that built the native core knows no vectors: use GCC or Clang"


BUILDS = _find_builds()
"""The builds that this processor runs, the fastest first."""
WHY_MISSING = _why_missing()
"""Why there is no native recurrence, or None where there is one."""


@cache
def chosen_build() -> str:
    """Returns the fastest build, or the one that DRYSTONE_SIMD in the environment names.

    Raises:
        ConfigError: the processor does not run the one that it names.
    """
    wanted = os.environ.get(BUILD_VARIABLE)
    if wanted and wanted not in BUILDS:
        raise ConfigError(f"{BUILD_VARIABLE} is {wanted!r}; this processor runs {', '.join(BUILDS)}.")
    return wanted or BUILDS[0]


@cache
def parallel_for() -> int:
    """Returns the address of PyTorch's own `parallel_for`, 0 where it has none to call: one thread does it all then.

    Threads of our own would fight for the cores with those of PyTorch, which go on spinning after its last operation.
    """
    folder = Path(torch.__file__).parent / "lib"
    for file in (torch._C.__file__, *map(str, folder.glob("*torch_cpu.*"))):  # the first knows what it was linked with
        found = getattr(ctypes.CDLL(file), "torch_parallel_for", None)
        if found is not None:
            return ctypes.cast(found, ctypes.c_void_p).value or 0
    return 0


def forward(
    inputs: tuple[Tensor, Tensor | None],
    weights: tuple[Tensor, Tensor | None, Tensor],
    state: tuple[Tensor | None, Tensor | None],
    runs: tuple[Tensor, Tensor, Tensor | None],
    gates: Tensor | None,
    output: Tensor,
    h_before: Tensor | None,
    cells: Tensor,
) -> None:
    """Fills output and cells; and gates and h_before, where a backward pass will need them.

    Args:
        inputs: x, [places, features]; and int64 [places], which bias each has, or None where there is one bias.
        weights: of the inputs, [4 × hidden, features]; biases, [biases, 4 × hidden], None for zeros; of h, [4 × hidden, hidden].
        state: h and c, [rows, hidden], each None for zeros.
        runs: starts, rows and places, as in `Runs`.
        gates: [valid cells, 4 × hidden].
        output: [places, hidden].
        h_before: [valid cells, hidden], the h that each starts from.
        cells: [valid cells, hidden], c after each.
    """
    from drystone.native import _native

    (x, bias_of), (input_weights, bias, hidden_weights), (starts, rows, places) = inputs, weights, runs
    _native.lstm_forward(
        _array(x),
        _array(input_weights),
        _maybe(bias),
        _maybe(bias_of),
        _array(hidden_weights),
        _maybe(state[0]),
        _maybe(state[1]),
        _array(starts),
        _array(rows),
        _maybe(places),
        _to_fill(gates),
        _to_fill(output),
        _to_fill(h_before),
        _to_fill(cells),
        chosen_build(),
        torch.get_num_threads(),
        parallel_for(),
    )


def backward(
    gates: Tensor,
    hidden_weights: Tensor,
    c: Tensor | None,
    runs: tuple[Tensor, Tensor, Tensor | None],
    cells: Tensor,
    gradients: tuple[Tensor | None, Tensor | None],
    c_gradient: Tensor | None,
    num_places: int,
) -> None:
    """Turns gates into the gradients of their sums.

    Args:
        gates: [valid cells, 4 × hidden].
        hidden_weights: [4 × hidden, hidden].
        c: the cell states that rows start from, or None for zeros.
        runs: starts, rows and places, as in `Runs`.
        cells: as forward filled them.
        gradients: of output and of cells, None for zeros.
        c_gradient: to fill, at the rows from which a run starts; None where nobody asks.
        num_places: of the output.
    """
    from drystone.native import _native

    starts, rows, places = runs
    of_output, of_cells = gradients
    _native.lstm_backward(
        _to_fill(gates),
        _array(hidden_weights),
        _maybe(c),
        _array(starts),
        _array(rows),
        _maybe(places),
        _array(cells),
        _maybe(of_output),
        _maybe(of_cells),
        _to_fill(c_gradient),
        num_places,
        chosen_build(),
        torch.get_num_threads(),
        parallel_for(),
    )


def _array(tensor: Tensor) -> npt.NDArray[Any]:
    return (tensor.detach() if tensor.requires_grad else tensor).contiguous().numpy()


def _maybe(tensor: Tensor | None) -> npt.NDArray[Any] | None:
    return None if tensor is None else _array(tensor)


def _to_fill(tensor: Tensor | None) -> Any:
    """The memory of a tensor that is written: no copy of it would do."""
    assert tensor is None or tensor.is_contiguous()
    return None if tensor is None else tensor.numpy()
