"""Padding and distinct shapes of an epoch: our layouts beside the ways of others, on real and lognormal lengths.

    python benchmarks/padding.py --data ../shared/data

Equal terms: a batch has 64 sequences; or, where it has a budget, that of 64 sequences of mean length, in cells with
padding counted (at least the longest sequence). Buckets are 10, with as many sequences each in those of tf.data and
of `Bucketed(boundaries)`. "Packed, small grid" has rows as long as the longest sequence and as many as the budget
holds; the larger grid of 32 × 512 holds more than 64 sequences. Figures are over several epochs, each drawn anew;
shapes are the mean number of distinct ones in an epoch.

Lengths are of the training parts: words of SNIPS commands, steps of Nottingham, steps of Japanese vowels; and 20,000
of lognormal(4, 0.8), cut at 512. A data set that is not in the folder is left out, and so is a peer that is not
installed; both are named.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import peers
from common import Ints, arguments_of, lognormal_lengths, markdown, quantiles, where, write
from data_lengths import all_lengths

from drystone import Bucketed, Layout, LayoutError, Packed, Padded, Stateful

BATCH_SIZE = 64
NUM_BUCKETS = 10
Shapes = list[tuple[int, int]]
Way = Callable[[int], Shapes]  # the shapes of the batches of an epoch drawn with a seed


def our_ways(lengths: Ints, cells: int) -> dict[str, Way]:
    longest = int(lengths.max())
    layouts: dict[str, Layout] = {
        "drystone Padded(64)": Padded(BATCH_SIZE),
        "drystone Padded(64, order='sorted')": Padded(BATCH_SIZE, order="sorted"),
        "drystone Bucketed(boundaries, batch_size=64)": Bucketed(
            boundaries=quantiles(lengths, NUM_BUCKETS), batch_size=BATCH_SIZE
        ),
        "drystone Bucketed(num_buckets=10, cells)": Bucketed(num_buckets=NUM_BUCKETS, cells=cells),
        "drystone Packed(sequences=64)": Packed(sequences=BATCH_SIZE),
        "drystone Packed, small grid": Packed(max(cells // longest, 1), longest),
        "drystone Packed(32, 512)": Packed(32, 512),
        "drystone Stateful(32, 50)": Stateful(32, 50),
    }

    def way(layout: Layout) -> Way:
        def shapes(seed: int) -> Shapes:
            plan = layout.plan(lengths, seed)
            return list(zip(plan.column("rows").tolist(), plan.column("steps").tolist(), strict=True))

        return shapes

    return {name: way(layout) for name, layout in layouts.items()}


def their_ways(lengths: Ints, cells: int) -> dict[str, Way]:
    numbers = lengths.tolist()

    def padded(batches: Iterable[Any]) -> Shapes:
        return shapes_of(lengths[np.asarray(batch)] for batch in batches)

    def lhotse(seed: int) -> Shapes:
        batches = peers.lhotse_batches(peers.lhotse_cuts(lengths), cells, NUM_BUCKETS, seed)
        return padded([int(cut.id) for cut in batch] for batch in batches)

    return {
        "torch DataLoader, shuffle, batches of 64": lambda seed: padded(
            peers.torch_batches(len(lengths), BATCH_SIZE, seed)
        ),
        "Hugging Face group_by_length, batches of 64": lambda seed: padded(
            peers.batches_of(peers.transformers_order(numbers, BATCH_SIZE, seed), BATCH_SIZE)
        ),
        "tf.data bucket_by_sequence_length, batches of 64": lambda seed: shapes_of(
            peers.tensorflow_lengths(lengths, quantiles(lengths, NUM_BUCKETS), BATCH_SIZE, seed)
        ),
        "Lhotse DynamicBucketingSampler, cells": lhotse,
        "fairseq batch_by_size, cells": lambda seed: padded(peers.fairseq_batches(lengths, cells, seed)),
    }


def shapes_of(batches: Iterable[Ints]) -> Shapes:
    """Returns rows and steps of batches of one sequence a row, each as long as its longest."""
    return [(len(batch), int(batch.max())) for batch in batches]


def found_of(way: Way, lengths: Ints, seeds: range) -> dict[str, Any]:
    """Counts cells and shapes, or says why the way does not work here."""
    try:
        drawn = [way(seed) for seed in seeds]
    except ImportError:
        return {"error": "not installed"}
    except LayoutError:
        return {"error": "too long"}
    cells = [sum(rows * steps for rows, steps in shapes) for shapes in drawn]
    return {
        "padding_fraction": 1 - len(seeds) * int(lengths.sum()) / sum(cells),
        "distinct_shapes": sum(len(set(shapes)) for shapes in drawn) / len(seeds),
        "batches": sum(map(len, drawn)) / len(seeds),
    }


def cell_of(found: dict[str, Any]) -> str:
    return found.get("error") or f"{found['padding_fraction']:.1%} ({found['distinct_shapes']:,.0f})"


def main() -> None:
    parser = arguments_of(__doc__, "padding")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), metavar="FOLDER")
    parser.add_argument("--epochs", type=int, default=5)
    arguments = parser.parse_args()
    seeds = range(arguments.seed, arguments.seed + arguments.epochs)
    sets = all_lengths(arguments.data) | {"lognormal(4, 0.8)": lognormal_lengths(20_000, arguments.seed)}
    figures: dict[str, dict[str, dict[str, Any]]] = {}
    facts: dict[str, dict[str, int | float]] = {}
    for name, lengths in sets.items():
        cells = max(round(BATCH_SIZE * float(lengths.mean())), int(lengths.max()))
        facts[name] = {
            "sequences": len(lengths),
            "mean": float(lengths.mean()),
            "longest": int(lengths.max()),
            "cells": cells,
        }
        for way, shapes in {**our_ways(lengths, cells), **their_ways(lengths, cells)}.items():
            figures.setdefault(way, {})[name] = found_of(shapes, lengths, seeds)
    print("\nPadding, and in brackets the number of distinct shapes\n")
    heads = [
        f"{name}: {fact['sequences']:,} of {fact['mean']:.0f} (≤ {fact['longest']:,})" for name, fact in facts.items()
    ]
    print(markdown(["", *heads], [[way, *(cell_of(found[name]) for name in sets)] for way, found in figures.items()]))
    drawn = {"seed": arguments.seed, "epochs": arguments.epochs}
    settings = {"fairseq": peers.fairseq_version(), **drawn, "batch_size": BATCH_SIZE, "buckets": NUM_BUCKETS}
    packages = ("drystone", "numpy", "pyarrow", *peers.PACKAGES)
    write(arguments.json, {**where(packages), **settings, "data": facts, "figures": figures})


if __name__ == "__main__":
    main()
