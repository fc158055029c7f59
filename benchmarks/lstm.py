"""Speed of one LSTM layer, forward and backward: drystone's vendor kernel beside `torch.nn.LSTM`, in real steps a second.

    python benchmarks/lstm.py
    python benchmarks/lstm.py --threads 1 --json one_thread.json
    python benchmarks/lstm.py --device cuda --updates 8

Lognormal lengths (mean about 61, cut at 422 steps), float32, all sequences once: `--updates` updates of 64 random
sequences each. All contestants run in one process with the same weights and take turns, a whole pass over the updates
each, after a warm-up pass; medians are printed. Only real steps count.

- packed, padded: `nn.LSTM` on the random batches that `Padded(64)` makes; packed input has `enforce_sorted=False`.
- bucketed: `nn.LSTM` on padded batches of `Bucketed`: at most 64 sequences of one bucket, a few batches more than
  `--updates`, since a bucket's last batch may be small.
- sorted: `nn.LSTM` on padded batches of the sorted sequences, 64 each: the finest buckets that there can be, with the
  same batches in each epoch. The best that exists without us, where random batches are not asked for.
- drystone: `lstm.run(x, grid)` on the same batches of `Padded` and `Bucketed`, and on packed grids.

What is timed: clearing gradients, the layer, the sum of its output, and the gradients of its parameters (the input
needs none). `nn.LSTM` on padded input does not mask: its outputs at padding and its final states are not right, and
making them so is not in its time. drystone's time includes what it derives from the grid on the host, exact final
hidden states, and zeros at padding; final cell states only where named. What is not timed: planning, collating,
packing into a `PackedSequence`, copying to the device; all of that is done before.

On a GPU: packed, padded and drystone, in float32, bfloat16 and float16. That list was never run: no GPU was at hand.
"""

import os
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from common import Ints, arguments_of, lognormal_lengths, markdown, quantiles, seconds_of, timed, where, write
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from drystone import Bucketed, Layout, Loader, Packed, Padded, Plan, Sequences
from drystone.core.grid import Grid
from drystone.torch import LSTM, batches

BATCH_SIZE = 64
NUM_BUCKETS = 10
MEAN_LOG = float(np.log(61) - 0.8**2 / 2)  # of a lognormal of mean 61
MAX_STEPS = 422
HEADERS = ("", "real steps/s", "÷ packed", "÷ padded", "÷ sorted")
PACKED, PADDED, SORTED = "nn.LSTM, packed", "nn.LSTM, padded", "nn.LSTM, sorted"
ON_GPU = (PACKED, PADDED, "drystone vendor, Padded", "drystone vendor, Packed")
DTYPES = {"cpu": (torch.float32,), "cuda": (torch.float32, torch.bfloat16, torch.float16)}


class Filled(NamedTuple):
    """A batch that is ready on the device."""

    x: Tensor
    grid: Grid


def layouts_of(lengths: Ints) -> dict[str, Layout]:
    return {
        "Padded": Padded(BATCH_SIZE),
        "Bucketed": Bucketed(boundaries=quantiles(lengths, NUM_BUCKETS), batch_size=BATCH_SIZE),
        "sorted": Padded(BATCH_SIZE, order="sorted"),
        "Packed": Packed(sequences=BATCH_SIZE),
        "Packed, gap 1": Packed(sequences=BATCH_SIZE, gap=1),
    }


def filled_of(seqs: Sequences, layout: Layout, seed: int, device: str, dtype: torch.dtype) -> list[Filled]:
    return [Filled(batch["x"], batch.grid) for batch in batches(Loader(seqs, layout, seed), device, dtype)]


def packed_of(batch: Filled) -> PackedSequence:
    lengths = torch.from_numpy(batch.grid.valid.sum(axis=1))
    return pack_padded_sequence(batch.x, lengths, batch_first=True, enforce_sorted=False)


def contestants(
    filled: dict[str, list[Filled]], hidden: int, seed: int, *, with_reference: bool
) -> dict[str, Callable[[], None]]:
    """Returns a pass over all updates of each, by name."""
    x = filled["Padded"][0].x
    torch.manual_seed(seed)
    theirs = nn.LSTM(x.shape[2], hidden, batch_first=True, device=x.device, dtype=x.dtype)

    def plain(batch: Filled) -> Tensor:
        return theirs(batch.x)[0].sum()

    def packed(batch: PackedSequence) -> Tensor:
        return theirs(batch)[0].data.sum()

    every = partial(updates_of, theirs)
    runs = {
        PACKED: every(packed, [packed_of(batch) for batch in filled["Padded"]]),
        PADDED: every(plain, filled["Padded"]),
        "nn.LSTM, bucketed": every(plain, filled["Bucketed"]),
        SORTED: every(plain, filled["sorted"]),
    }
    for kernel in ("fused", "vendor") if x.device.type == "cpu" else ("vendor",):
        runs |= runs_of_ours(twin_of(theirs, kernel), filled)
    if with_reference:
        reference = twin_of(theirs, "reference")
        runs["drystone reference, Packed"] = updates_of(reference, partial(output_sum, reference), filled["Packed"])
    return runs


def twin_of(theirs: nn.LSTM, kernel: str) -> LSTM:
    """Returns our LSTM of the same weights."""
    weight = theirs.weight_ih_l0
    ours = LSTM(theirs.input_size, theirs.hidden_size, kernel=kernel, device=weight.device, dtype=weight.dtype)
    ours.load_state_dict(theirs.state_dict())
    return ours


def runs_of_ours(ours: LSTM, filled: dict[str, list[Filled]]) -> dict[str, Callable[[], None]]:
    """Returns a pass over all updates of each layout; of final cell states and packed sequences too."""
    name = f"drystone {ours.kernel}"
    runs = {f"{name}, {layout}": updates_of(ours, partial(output_sum, ours), given) for layout, given in filled.items()}
    runs[f"{name}, Packed, final c"] = updates_of(ours, partial(output_and_cells_sum, ours), filled["Packed"])
    packed = [packed_of(batch) for batch in filled["Padded"]]
    runs[f"{name}, PackedSequence"] = updates_of(ours, partial(packed_sum, ours), packed)
    return runs


def output_sum(lstm: LSTM, batch: Filled) -> Tensor:
    return lstm.run(*batch).output.sum()


def output_and_cells_sum(lstm: LSTM, batch: Filled) -> Tensor:
    run = lstm.run(*batch)
    return run.output.sum() + run.final_c().sum()


def packed_sum(lstm: LSTM, batch: PackedSequence) -> Tensor:
    output = lstm(batch)[0]
    assert isinstance(output, PackedSequence)
    return output.data.sum()


def updates_of(lstm: nn.Module, loss: Callable[[Any], Tensor], given: list[Any]) -> Callable[[], None]:
    """Returns a pass over batches, forward and backward, that ends when the device has done its work."""

    def run() -> None:
        for batch in given:
            lstm.zero_grad()
            loss(batch).backward()
        if next(lstm.parameters()).is_cuda:
            torch.cuda.synchronize()

    return run


def facts_of(plan: Plan) -> dict[str, Any]:
    """Says what a layout's batches are like."""
    return {
        "batches": plan.num_batches,
        "padding_fraction": plan.padding_fraction,
        "mean_rows": float(plan.column("rows").mean()),
        "mean_steps": float(plan.column("steps").mean()),
    }


def figures_of(medians: dict[str, float], num_steps: int) -> dict[str, dict[str, float]]:
    """Turns seconds a pass into speeds, and ratios to what others have."""
    beside = {"packed": PACKED, "padded": PADDED, "sorted": SORTED}
    return {
        name: {
            "seconds": seconds,
            "real_steps_per_second": num_steps / seconds,
            **{f"of_{other}": medians[key] / seconds for other, key in beside.items() if key in medians},
        }
        for name, seconds in medians.items()
    }


def medians_of(arguments: Namespace, seqs: Sequences, layouts: dict[str, Layout]) -> dict[str, dict[str, float]]:
    """Returns the median seconds of a pass of each contestant, dtype by dtype."""
    medians: dict[str, dict[str, float]] = {}
    for dtype in DTYPES[arguments.device]:
        filled = {
            name: filled_of(seqs, layout, arguments.seed, arguments.device, dtype) for name, layout in layouts.items()
        }
        runs = contestants(filled, arguments.hidden, arguments.seed, with_reference=arguments.reference)
        chosen = {name: run for name, run in runs.items() if arguments.device == "cpu" or name in ON_GPU}
        turns = {name: partial(seconds_of, run) for name, run in chosen.items()}
        medians[str(dtype).removeprefix("torch.")] = timed(turns, arguments.repeats)
    return medians


def arguments_given() -> Namespace:
    parser = arguments_of(__doc__, "lstm")
    parser.add_argument("--updates", type=int, default=32)
    parser.add_argument("--features", type=int, default=64)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="default: as torch chooses")
    parser.add_argument("--device", choices=tuple(DTYPES), default="cpu")
    parser.add_argument("--reference", action="store_true", help="the plain loop too, which is slow")
    return parser.parse_args()


def main() -> None:
    arguments = arguments_given()
    torch.set_num_threads(arguments.threads)
    lengths = lognormal_lengths(BATCH_SIZE * arguments.updates, arguments.seed, MEAN_LOG, MAX_STEPS)
    num_steps = int(lengths.sum())
    features = np.random.default_rng(arguments.seed).standard_normal((num_steps, arguments.features), dtype=np.float32)
    seqs = Sequences.from_ragged(np.append(0, np.cumsum(lengths)), per_step={"x": features})
    layouts = layouts_of(lengths)
    load_before = os.getloadavg()[0]
    medians = medians_of(arguments, seqs, layouts)
    loads = [load_before, os.getloadavg()[0]]
    figures = {dtype: figures_of(found, num_steps) for dtype, found in medians.items()}
    for dtype, found in figures.items():
        print(f"\n{dtype}, {arguments.threads} threads, load {loads[0]:.1f} before and {loads[1]:.1f} after\n")
        print(markdown(HEADERS, [line(name, speeds) for name, speeds in found.items()]))
    settings = {key: value for key, value in vars(arguments).items() if key != "json"}
    if arguments.device == "cuda":
        settings["gpu"] = torch.cuda.get_device_name()
    data = {"sequences": len(lengths), "mean": float(lengths.mean()), "longest": int(lengths.max())}
    facts = {name: facts_of(layout.plan(lengths, arguments.seed)) for name, layout in layouts.items()}
    record = {**where(("drystone", "numpy", "torch")), **settings, "load_before_and_after": loads, "data": data}
    write(arguments.json, {**record, "layouts": facts, "figures": figures})


def line(name: str, found: dict[str, float]) -> list[str]:
    ratios = [found.get(f"of_{other}") for other in ("packed", "padded", "sorted")]
    return [
        name,
        f"{found['real_steps_per_second'] / 1e3:,.1f} k",
        *("" if ratio is None else f"{ratio:.2f}" for ratio in ratios),
    ]


if __name__ == "__main__":
    main()
