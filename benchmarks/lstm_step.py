"""Inference of one or a few steps of many rows, state in and state out: drystone's kernels beside `nn.LSTM`.

    python benchmarks/lstm_step.py
    python benchmarks/lstm_step.py --threads 1 --hidden 256 --rows 1 1000

One layer, as many features as units, float32, in `torch.inference_mode()`, in turn in one process. Medians of microseconds a call, and
of the ratios nn.LSTM ÷ ours, turn by turn.
"""

import os
from argparse import Namespace
from functools import partial
from statistics import median
from typing import Any

import torch
from common import arguments_of, markdown, seconds_of, times_in_turn, where, write
from torch import nn

from drystone.torch import LSTM

KERNELS = ("fused", "vendor")
HEADERS = ("hidden", "rows × steps", "nn.LSTM µs", "fused µs", "÷ fused", "÷ vendor")


def figures_of(hidden: int, rows: int, steps: int, arguments: Namespace) -> dict[str, Any]:
    torch.manual_seed(arguments.seed)
    x = torch.randn(rows, steps, hidden)
    state = torch.randn(1, rows, hidden), torch.randn(1, rows, hidden)
    theirs = nn.LSTM(hidden, hidden, batch_first=True)
    layers: dict[str, nn.Module] = {"nn.LSTM": theirs}
    for kernel in KERNELS:
        layers[kernel] = LSTM(hidden, hidden, kernel=kernel)
        layers[kernel].load_state_dict(theirs.state_dict())
    turns = {name: partial(seconds_of, partial(layer, x, state)) for name, layer in layers.items()}
    with torch.inference_mode():
        found = times_in_turn(turns, arguments.repeats, warm_ups=5)
    pairs = {name: zip(found["nn.LSTM"], found[name], strict=True) for name in KERNELS}
    return {
        "hidden": hidden,
        "rows": rows,
        "steps": steps,
        "microseconds": {name: 1e6 * median(times) for name, times in found.items()},
        "ratios": {name: median(their / own for their, own in both) for name, both in pairs.items()},
    }


def line(found: dict[str, Any]) -> list[str]:
    times = found["microseconds"]
    return [
        str(found["hidden"]),
        f"{found['rows']:,} × {found['steps']}",
        *(f"{times[name]:,.0f}" for name in ("nn.LSTM", "fused")),
        *(f"{found['ratios'][name]:.2f}" for name in KERNELS),
    ]


def main() -> None:
    parser = arguments_of(__doc__, "lstm_step")
    parser.add_argument("--hidden", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 16, 256, 4096])
    parser.add_argument("--steps", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--repeats", type=int, default=101)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="default: as torch chooses")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    load_before = os.getloadavg()[0]
    figures = [
        figures_of(hidden, rows, steps, arguments)
        for hidden in arguments.hidden
        for rows in arguments.rows
        for steps in arguments.steps
    ]
    loads = [load_before, os.getloadavg()[0]]
    print(f"{arguments.threads} threads, load {loads[0]:.1f} before and {loads[1]:.1f} after\n")
    print(markdown(HEADERS, map(line, figures)))
    settings = {key: value for key, value in vars(arguments).items() if key != "json"}
    record = {**where(("drystone", "numpy", "torch")), **settings, "load_before_and_after": loads}
    write(arguments.json, {**record, "figures": figures})


if __name__ == "__main__":
    main()
