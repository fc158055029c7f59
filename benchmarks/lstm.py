"""One LSTM layer, forward and backward, on padded rows: drystone's kernels beside `torch.nn.LSTM`.

    python benchmarks/lstm.py
    python benchmarks/lstm.py --rows 64 --max-steps 100 --hidden 256 --out benchmarks/results/lstm.json

All competitors run in one process, in turn; the medians and their ratios are printed, and written as JSON.
"""

import argparse
import json
import platform
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import torch
from common import seconds_of, timed
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from drystone.torch import LSTM


def competitors(rows: int, steps: int, features: int, hidden: int, seed: int) -> dict[str, Callable[[], None]]:
    """Returns what is timed, by name: each a forward and backward pass over the same uniform random lengths."""
    lengths = torch.from_numpy(np.random.default_rng(seed).integers(1, steps + 1, rows))
    lengths[0] = steps
    valid = torch.arange(steps) < lengths[:, None]
    reset = torch.zeros(rows, steps, dtype=torch.bool)
    reset[:, 0] = True
    torch.manual_seed(seed)
    x = torch.randn(rows, steps, features)
    theirs = nn.LSTM(features, hidden, batch_first=True)
    vendor, reference = LSTM(features, hidden, kernel="vendor"), LSTM(features, hidden, kernel="reference")

    def packed() -> None:
        batch = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        theirs(batch)[0].data.sum().backward()

    return {
        "nn.LSTM, padding not masked (wrong final states)": lambda: theirs(x)[0].sum().backward(),
        "nn.LSTM, packed": packed,
        "drystone, vendor": lambda: vendor(x, reset=reset, valid=valid)[0].sum().backward(),
        "drystone, reference": lambda: reference(x, reset=reset, valid=valid)[0].sum().backward(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--max-steps", type=int, default=100)
    parser.add_argument("--features", type=int, default=64)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    sizes = (arguments.rows, arguments.max_steps, arguments.features, arguments.hidden)
    runs = {name: partial(seconds_of, run) for name, run in competitors(*sizes, arguments.seed).items()}
    medians = {name: 1e3 * seconds for name, seconds in timed(runs, arguments.repeats).items()}
    ours = medians["drystone, vendor"]
    for name, milliseconds in medians.items():
        print(f"{name:50} {milliseconds:8.1f} ms   {milliseconds / ours:5.2f} × drystone's vendor kernel")
    if arguments.out is not None:
        settings = {key: value for key, value in vars(arguments).items() if key != "out"}
        where = {"torch": torch.__version__, "threads": torch.get_num_threads(), "machine": platform.machine()}
        record = {"date": date.today().isoformat(), **settings, **where, "median_ms": medians}
        arguments.out.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
