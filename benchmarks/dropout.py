"""Dropout of single numbers, forward and backward: `torch.nn.functional.dropout` and drystone's, in turn in one process.

python benchmarks/dropout.py --threads 1
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from common import arguments_of, markdown, seconds_of, timed, where, write
from torch import Tensor
from torch.nn import functional

from drystone.torch.drop import drop

SHAPES = ((32, 64, 128), (32, 64, 512), (2048, 512))
WAYS = {"PyTorch": functional.dropout, "drystone": drop}


def figures_of(shape: tuple[int, ...], turns: int) -> dict[str, Any]:
    values = torch.ones(shape, requires_grad=True)

    def seconds(way: Callable[[Tensor, float], Tensor]) -> float:
        return seconds_of(lambda: way(values, 0.4).sum().backward())

    found = timed({name: partial(seconds, way) for name, way in WAYS.items()}, turns)
    milliseconds = {name: 1e3 * each for name, each in found.items()}
    return {"shape": shape, **milliseconds, "ratio": found["PyTorch"] / found["drystone"]}


def main() -> None:
    parser = arguments_of(__doc__, "dropout")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="default: as torch chooses")
    parser.add_argument("--turns", type=int, default=31)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    figures = [figures_of(shape, arguments.turns) for shape in SHAPES]
    lines = [
        [" × ".join(map(str, each["shape"])), *(f"{each[name]:.2f}" for name in WAYS), f"{each['ratio']:.1f}"]
        for each in figures
    ]
    print(markdown(("numbers", "PyTorch, ms", "drystone, ms", "ratio"), lines))
    settings = {"threads": arguments.threads, "turns": arguments.turns, "seed": arguments.seed}
    write(arguments.json, {**where(("drystone", "torch")), **settings, "figures": figures})


if __name__ == "__main__":
    main()
