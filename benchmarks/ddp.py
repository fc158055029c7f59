"""Several processes that train one model: real steps a second on this machine, balance, and plans of many ranks.

    python benchmarks/ddp.py

Speed: 2 processes of one thread each against 1 process of one thread, the same batches of lognormal lengths, in turn, as the
median, and 1 process with half the rows, as each of 2 has; all begin to count after some updates. Balance and the simulation need plans alone: of each batch, the steps of the
fullest rank beside those of the mean rank are what ranks wait for where kernels skip padding. Every rank has a batch of
32 sequences there, so a larger number of ranks makes larger batches. Packed rows are a multiple of the ranks, and once any number.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from common import arguments_of, lognormal_lengths, markdown, times_in_turn, where, write
from torch import nn

import drystone as ds
from drystone.core.layouts import Layout
from drystone.core.shares import steps_of_ranks, waiting_fraction
from drystone.torch import LSTM, TensorBatch, pool
from drystone.train import Outcome, Recipe, Trainer, Updated, current_ranks

FEATURES, CLASSES = 16, 4
SEQUENCES_A_RANK = 32
SEQUENCES = 64  # of a batch where speed is measured
WARM_UPS = 5
LAYOUTS: dict[str, Callable[[int, int], Layout]] = {
    "padded": lambda sequences, _ranks: ds.Padded(sequences),
    "bucketed": lambda sequences, _ranks: ds.Bucketed(num_buckets=8, batch_size=sequences),
    "packed, any rows": lambda sequences, _ranks: ds.Packed(sequences=sequences),
    "packed": lambda sequences, ranks: ds.Packed(sequences=sequences, row_multiple=ranks),
    "stateful": lambda sequences, _ranks: ds.Stateful(rows=sequences, steps=64),
}


class Classifier(nn.Module):
    """An LSTM, its last outputs, a linear head."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.lstm, self.head = LSTM(FEATURES, hidden), nn.Linear(hidden, CLASSES)

    def forward(self, batch: TensorBatch) -> torch.Tensor:
        return self.head(pool(self.lstm.run(batch["x"], batch.grid).output, batch.grid, "last"))


def objective(model: nn.Module, batch: TensorBatch, _state: Any) -> Outcome:
    logits = model(batch)
    loss = nn.functional.cross_entropy(logits, batch["y"], reduction="sum")
    return Outcome(loss=loss, weight=len(logits))


def work(hidden: int, updates: int, seed: int, sequences: int) -> None:
    """Trains on the ranks that there are; rank 0 prints real steps a second, and what each rank waited of the time."""
    ranks = current_ranks()
    lengths = lognormal_lengths(sequences * (updates + WARM_UPS), seed)
    values = np.random.default_rng(seed).standard_normal((int(lengths.sum()), FEATURES), dtype=np.float32)
    seqs = ds.Sequences.from_ragged(
        np.append(0, np.cumsum(lengths)), {"x": values}, {"y": np.arange(len(lengths)) % CLASSES}
    )
    layout = ds.Bucketed(num_buckets=8, batch_size=sequences)
    torch.manual_seed(seed)
    loader = ds.Loader(seqs, layout, seed, in_background=False, rank=ranks.rank, num_ranks=ranks.num_ranks)
    trainer = Trainer(Classifier(hidden), loader, objective, Recipe(updates=updates + WARM_UPS, learning_rate=1e-3))
    steps, begun, waited = 0, perf_counter(), 0.0
    for event in trainer.run():
        if isinstance(event, Updated):
            steps += event.steps
            if event.update == WARM_UPS:
                steps, begun, waited = 0, perf_counter(), ranks.waited_seconds
    seconds = perf_counter() - begun
    shares = ranks.gathered((ranks.waited_seconds - waited) / seconds)
    if ranks.is_first:
        print(json.dumps({"steps_per_second": steps / seconds, "waited": shares}))


def run(num_ranks: int, sequences: int, work_of: tuple[int, int, int]) -> dict[str, Any]:
    """Starts the processes, and returns what rank 0 printed."""
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    world = {"WORLD_SIZE": str(num_ranks), "MASTER_ADDR": "localhost", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(Path(__file__)), "--work", *map(str, (*work_of, sequences))]
    processes = [
        subprocess.Popen(  # noqa: S603  (this file)
            command, env={**os.environ, **world, "RANK": str(rank)}, stdout=subprocess.PIPE, text=True
        )
        for rank in range(num_ranks)
    ]
    outputs = [process.communicate()[0] for process in processes]
    return json.loads(outputs[0].splitlines()[-1])


def speed(hidden: int, updates: int, repeats: int, seed: int) -> dict[str, Any]:
    """Returns real steps a second of one process, of two, and of one with half the rows, as each of two has; run in turn."""
    ways = {"one": (1, SEQUENCES), "two": (2, SEQUENCES), "half": (1, SEQUENCES // 2)}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in ways}

    def once(name: str) -> float:
        found[name].append(run(*ways[name], (hidden, updates, seed)))
        return 1 / found[name][-1]["steps_per_second"]

    times = times_in_turn({name: lambda name=name: once(name) for name in ways}, repeats, warm_ups=0)
    speeds = {name: 1 / float(np.median(times[name])) for name in ways}
    waited = [float(np.median(shares)) for shares in zip(*(each["waited"] for each in found["two"]), strict=True)]
    return {"hidden": hidden, **speeds, "ratio": speeds["two"] / speeds["one"], "waited": waited, "times": times}


def balance(layout: Layout, lengths: Any, num_ranks: int, seed: int) -> dict[str, float]:
    """Returns, from the plan alone, how evenly the steps of a batch lie on the ranks, on average over batches."""
    begun = perf_counter()
    plan = layout.plan(lengths, seed)
    steps = steps_of_ranks(plan, num_ranks)
    fuller = steps.max(axis=1) / steps.mean(axis=1) - 1
    return {
        "batches": plan.num_batches,
        "steps_a_batch": plan.num_steps / plan.num_batches,
        "fuller_than_mean": float(fuller.mean()),
        "fuller_at_most": float(fuller.max()),
        "waiting": waiting_fraction(plan, num_ranks),
        "seconds_to_plan": perf_counter() - begun,
    }


def main() -> None:
    parser = arguments_of(__doc__, "ddp")
    parser.add_argument("--updates", type=int, default=60, help="that are counted in one run")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--hidden", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--ranks", type=int, nargs="+", default=[2, 8, 64, 1024])
    parser.add_argument("--batches", type=int, default=64, help="of the plans, about")
    parser.add_argument("--work", type=int, nargs=4, help="for the processes that are measured")
    arguments = parser.parse_args()
    if arguments.work:
        work(*arguments.work)
        return
    plans = {
        f"{name}, {num_ranks} ranks": balance(
            make(SEQUENCES_A_RANK * num_ranks, num_ranks),
            lognormal_lengths(SEQUENCES_A_RANK * num_ranks * arguments.batches, arguments.seed),
            num_ranks,
            arguments.seed,
        )
        for name, make in LAYOUTS.items()
        for num_ranks in arguments.ranks
    }
    rows = [
        (
            name,
            f"{each['batches']}",
            f"{each['steps_a_batch']:,.0f}",
            *(f"{100 * each[key]:.2f}%" for key in ("fuller_than_mean", "fuller_at_most", "waiting")),
        )
        for name, each in plans.items()
    ]
    print(markdown(["plan", "batches", "steps a batch", "fullest rank over the mean", "at most", "waiting"], rows))
    speeds = [speed(hidden, arguments.updates, arguments.repeats, arguments.seed) for hidden in arguments.hidden]
    rows = [
        (
            f"{each['hidden']} units",
            *(f"{each[key]:,.0f}" for key in ("one", "two", "half")),
            f"{each['ratio']:.2f}",
            ", ".join(f"{share:.1%}" for share in each["waited"]),
        )
        for each in speeds
    ]
    print(
        markdown(["speed", "1 process: steps/s", "2 processes", "1 with half the rows", "ratio", "each waited"], rows)
    )
    write(arguments.json, {**where(("drystone", "torch")), "seed": arguments.seed, "plans": plans, "speed": speeds})


if __name__ == "__main__":
    main()
