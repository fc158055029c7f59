"""Forward and backward of one LSTM layer on equal lengths: drystone's kernels against `nn.LSTM` (oneDNN, unpacked).

    python benchmarks/lstm_sizes.py                        # hidden 64 … 512 × batch 16 … 128
    python benchmarks/lstm_sizes.py --hidden 128 --batch 64 --repeats 31
    python benchmarks/lstm_sizes.py --input-gradients      # as in the upper layers of a stack

As many features as units, 50 steps, float32. What is timed: clearing gradients, the layer, the sum of its output, and the
gradients of its parameters (`nn.LSTM` works out those of its inputs too, whether asked or not); in turn, one process. Ratios are medians of nn.LSTM's times ÷ ours, turn by turn. Beside them:
useful arithmetic, 24 × hidden × (features + hidden) a cell less that of the inputs' gradients where nobody asks, and the rate of one
large matrix product [rows × steps, features] · [features, 4 × hidden] in the same process.
"""

import os
from argparse import Namespace
from functools import partial
from statistics import median
from typing import Any

import torch
from common import arguments_of, markdown, seconds_of, times_in_turn, where, write
from torch import Tensor, nn

from drystone.torch import LSTM

NUM_STEPS = 50
KERNELS = ("fused", "vendor")
HEADERS = ("hidden × batch", "nn.LSTM ms", "fused ms", "÷ fused", "÷ vendor", "fused GF/s", "product GF/s")


def update(layer: nn.Module, x: Tensor) -> None:
    layer.zero_grad()
    x.grad = None
    layer(x)[0].sum().backward()


def figures_of(hidden: int, batch: int, arguments: Namespace) -> dict[str, Any]:
    torch.manual_seed(arguments.seed)
    x = torch.randn(batch, NUM_STEPS, hidden, requires_grad=arguments.input_gradients)
    theirs = nn.LSTM(hidden, hidden, batch_first=True)
    runs = {"nn.LSTM": partial(update, theirs, x)}
    for kernel in KERNELS:
        layer = LSTM(hidden, hidden, kernel=kernel)
        layer.load_state_dict(theirs.state_dict())
        runs[kernel] = partial(update, layer, x)
    flat, weights = x.detach().flatten(0, 1), torch.randn(hidden, 4 * hidden)
    runs["product"] = partial(torch.mm, flat, weights)
    found = times_in_turn({name: partial(seconds_of, run) for name, run in runs.items()}, arguments.repeats, warm_ups=2)
    cells = batch * NUM_STEPS
    return {
        "hidden": hidden,
        "batch": batch,
        "seconds": {name: median(times) for name, times in found.items()},
        "ratios": {
            kernel: median(a / b for a, b in zip(found["nn.LSTM"], found[kernel], strict=True)) for kernel in KERNELS
        },
        "gigaflops": {
            "fused": (40 + 8 * arguments.input_gradients) * hidden**2 * cells / median(found["fused"]) / 1e9,
            "product": 8 * hidden**2 * cells / median(found["product"]) / 1e9,
        },
    }


def line(found: dict[str, Any]) -> list[str]:
    seconds, rates = found["seconds"], found["gigaflops"]
    return [
        f"{found['hidden']} × {found['batch']}",
        f"{1e3 * seconds['nn.LSTM']:.2f}",
        f"{1e3 * seconds['fused']:.2f}",
        *(f"{found['ratios'][kernel]:.2f}" for kernel in KERNELS),
        *(f"{rates[name]:.0f}" for name in ("fused", "product")),
    ]


def main() -> None:
    parser = arguments_of(__doc__, "lstm_sizes")
    parser.add_argument("--hidden", type=int, nargs="+", default=[64, 128, 256, 512])
    parser.add_argument("--batch", type=int, nargs="+", default=[16, 32, 64, 128])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--input-gradients", action="store_true", help="those of the inputs too")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="default: as torch chooses")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    load_before = os.getloadavg()[0]
    figures = [figures_of(hidden, batch, arguments) for hidden in arguments.hidden for batch in arguments.batch]
    loads = [load_before, os.getloadavg()[0]]
    print(f"{arguments.threads} threads, load {loads[0]:.1f} before and {loads[1]:.1f} after\n")
    print(markdown(HEADERS, [line(found) for found in figures]))
    settings = {key: value for key, value in vars(arguments).items() if key != "json"}
    record = {**where(("drystone", "numpy", "torch")), **settings, "load_before_and_after": loads}
    write(arguments.json, {**record, "figures": figures})


if __name__ == "__main__":
    main()
