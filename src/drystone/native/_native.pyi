"""The C++ extension; items are given as bytes."""

from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Rows = npt.NDArray[Any]  # float32 or float64, all of one call alike

def gather(
    values: npt.NDArray[np.uint8],
    sources: npt.NDArray[np.int64],
    targets: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    out: npt.NDArray[np.uint8],
) -> None: ...
def empty(size: int) -> npt.NDArray[np.uint8]: ...
def fill_grids(
    lengths: Ints,
    rows: int,
    steps: int,
    gap: int,
    carried: Ints,
    grid: Ints,
    row: Ints,
    step: Ints,
    item: Ints,
    offset: Ints,
    length: Ints,
) -> int: ...
def pack_groups(
    lengths: Ints,
    group_size: int,
    rows: int,
    steps: int,
    gap: int,
    multiple: int,
    grid: Ints,
    row: Ints,
    step: Ints,
    item: Ints,
    offset: Ints,
    length: Ints,
    rows_of: Ints,
    steps_of: Ints,
) -> None: ...
def lay_tapes(lengths: Ints, rows: int, carried: Ints, tape: Ints, start: Ints) -> None: ...
def count_pieces(start: Ints, length: Ints, steps: int) -> int: ...
def cut_runs(
    row: Ints,
    start: Ints,
    length: Ints,
    rows: int,
    steps: int,
    batch_of: Ints,
    row_of: Ints,
    step_of: Ints,
    run_of: Ints,
    offset_of: Ints,
    length_of: Ints,
) -> None: ...
def cut_batches(
    costs: Ints, counts: Ints, max_rows: Ints, budget: int, multiple: int, sizes: Ints, full: npt.NDArray[np.bool_]
) -> int: ...
def sort_keys(keys: npt.NDArray[np.uint64], spare: npt.NDArray[np.uint64], low_bits: int) -> None: ...
def fill_masks(
    cells: Ints,
    lengths: Ints,
    is_first: npt.NDArray[np.bool_],
    valid: npt.NDArray[np.bool_],
    reset: npt.NDArray[np.bool_],
) -> None: ...
def lstm_builds() -> list[str]: ...
def lstm_forward(
    x: Rows,
    input_weights: Rows,
    bias: Rows | None,
    bias_of: Ints | None,
    hidden_weights: Rows,
    h: Rows | None,
    c: Rows | None,
    starts: Ints,
    rows: Ints,
    at: Ints | None,
    gates: Rows | None,
    output: Rows,
    h_before: Rows | None,
    cells: Rows,
    build: str,
    num_threads: int,
    parallel_for: int,
) -> None: ...
def lstm_backward(
    gates: Rows,
    hidden_weights: Rows,
    c: Rows | None,
    starts: Ints,
    rows: Ints,
    at: Ints | None,
    cells: Rows,
    output_gradient: Rows | None,
    cells_gradient: Rows | None,
    c_gradient: Rows | None,
    num_places: int,
    build: str,
    num_threads: int,
    parallel_for: int,
) -> None: ...
