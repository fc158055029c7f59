"""Epochs of training a classifier, in real steps a second: what PyTorch's users do beside drystone's layouts.

    python benchmarks/epoch.py --data ../shared/data
    python benchmarks/epoch.py --hidden 128 --repeats 5 --json epoch_128.json

The lengths are those of real data sets (words of SNIPS commands, steps of Nottingham and of Japanese vowels) and
lognormal ones (mean 59, longest 422); at most `--sequences` of each, drawn at random. Features are 64 random numbers a step, shifted a little
by the label of the sequence, one of 4. The model: one LSTM layer, a linear layer on its last hidden state, cross-entropy over the
sequences of a batch, Adam. All contestants start from the same weights, and take turns in one process.

- packed, padded: `DataLoader(shuffle=True)` and `pad_sequence`, 64 sequences a batch; `pack_padded_sequence` with
  `enforce_sorted=False`, or the output at each sequence's last step.
- bucketed: batches of 64 from 10 buckets of about as many sequences each, padded; a bucket's last batch may be smaller.
- Hugging Face length grouping: the batches of `LengthGroupedSampler`, padded; left out where transformers is missing.
- drystone: `Padded(64)`, `Bucketed` of the same buckets, `Packed(sequences=64)`; in a loop written by hand too.

What is timed: all of an epoch: order, batches, model, optimiser. A turn is as many epochs as hold `--steps` real steps. First of
all, each makes the same number of updates, as many as a turn of random batches has, from the same weights; its loss over all sequences after these stands beside.
Whoever takes more than `--patience` seconds for these gets no turns: they are its time then.
"""

import os
from argparse import Namespace
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, count, islice
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import peers
import torch
from common import Ints, arguments_of, lognormal_lengths, markdown, quantiles, seconds_of, where, write
from data_lengths import all_lengths
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader

from drystone import Bucketed, Layout, Loader, Packed, Padded, Sequences
from drystone.torch import LSTM, TensorBatch, batches

BATCH_SIZE, NUM_BUCKETS, NUM_FEATURES, NUM_LABELS = 64, 10, 64, 4
PADDED_WAYS = ("PyTorch, padded", "PyTorch, bucketed and padded", "Hugging Face length grouping")
OURS = ("drystone, Padded", "drystone, Bucketed", "drystone, Packed")
Example = tuple[Tensor, int]  # [steps, features], label
Padding = tuple[Tensor, Tensor, Tensor]  # [sequences, steps, features], lengths, labels
Losses = Callable[[int], Iterator[Tensor]]  # of the batches of an epoch, by its number


class Data(NamedTuple):
    """The same sequences, as PyTorch's users and as drystone's hold them."""

    examples: list[Example]
    seqs: Sequences

    @property
    def lengths(self) -> Ints:
        return self.seqs.lengths

    @property
    def boundaries(self) -> tuple[int, ...]:
        return quantiles(self.lengths, NUM_BUCKETS)


class Contestant(NamedTuple):
    """A model, and the losses of an epoch of batches."""

    model: nn.Module
    losses: Losses


def data_of(lengths: Ints, seed: int) -> Data:
    rng = np.random.default_rng(seed)
    labels = rng.integers(NUM_LABELS, size=len(lengths))
    shifts = 0.1 * rng.standard_normal((NUM_LABELS, NUM_FEATURES), dtype=np.float32)
    x = rng.standard_normal((int(lengths.sum()), NUM_FEATURES), dtype=np.float32)
    x += np.repeat(shifts[labels], lengths, axis=0)
    parts = np.split(x, np.cumsum(lengths)[:-1])
    seqs = Sequences.from_ragged(np.append(0, np.cumsum(lengths)), per_step={"x": x}, per_sequence={"y": labels})
    return Data([(torch.from_numpy(part), int(label)) for part, label in zip(parts, labels, strict=True)], seqs)


# --- batches of PyTorch's users


def padding_of(examples: list[Example]) -> Padding:
    x, labels = zip(*examples, strict=True)
    return pad_sequence(list(x), batch_first=True), torch.tensor([len(part) for part in x]), torch.tensor(labels)


def random_batches(data: Data, seed: int) -> list[list[int]]:
    return peers.torch_batches(len(data.examples), BATCH_SIZE, seed)


def bucketed_batches(data: Data, seed: int) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    bucket = np.searchsorted(data.boundaries, data.lengths)
    members = [rng.permutation(np.flatnonzero(bucket == number)).tolist() for number in range(NUM_BUCKETS)]
    found = list(chain.from_iterable(peers.batches_of(some, BATCH_SIZE) for some in members))
    return [found[number] for number in rng.permutation(len(found))]


def grouped_batches(data: Data, seed: int) -> list[list[int]]:
    return peers.batches_of(peers.transformers_order(data.lengths.tolist(), BATCH_SIZE, seed), BATCH_SIZE)


# --- contestants


class Theirs(nn.Module):
    """What stands in tutorials."""

    def __init__(self, hidden: int, *, packs: bool) -> None:
        super().__init__()
        self.lstm = nn.LSTM(NUM_FEATURES, hidden, batch_first=True)
        self.head = nn.Linear(hidden, NUM_LABELS)
        self.packs = packs

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        if self.packs:
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            return self.head(self.lstm(packed)[1][0][-1])
        return self.head(self.lstm(x)[0][torch.arange(len(x)), lengths - 1])


class Ours(nn.Module):
    """The same model over grids."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.lstm = LSTM(NUM_FEATURES, hidden)
        self.head = nn.Linear(hidden, NUM_LABELS)

    def forward(self, batch: TensorBatch) -> Tensor:
        return self.head(self.lstm.run(batch["x"], batch.grid).final_h[-1])


def theirs(data: Data, hidden: int, batches_of: Callable[[Data, int], list[list[int]]], *, packs: bool) -> Contestant:
    model = Theirs(hidden, packs=packs)

    def losses(epoch: int) -> Iterator[Tensor]:
        for x, lengths, labels in DataLoader(
            data.examples, batch_sampler=batches_of(data, epoch), collate_fn=padding_of
        ):
            yield cross_entropy(model(x, lengths), labels)

    return Contestant(model, losses)


def ours(data: Data, hidden: int, layout: Layout) -> Contestant:
    # No thread reads ahead, as in drystone fit on a CPU: the model takes all cores.
    model, loader = Ours(hidden), Loader(data.seqs, layout, in_background=False)

    def losses(epoch: int) -> Iterator[Tensor]:
        loader.epoch = epoch
        for batch in batches(loader):
            yield cross_entropy(model(batch), batch["y"])

    return Contestant(model, losses)


def contestants(data: Data, hidden: int, seed: int) -> dict[str, Contestant]:
    """Returns all by name, of the same weights."""
    found = {"PyTorch, packed": theirs(data, hidden, random_batches, packs=True)}
    ways = zip(PADDED_WAYS, (random_batches, bucketed_batches, grouped_batches), strict=True)
    for name, way in ways:
        try:
            way(data, seed)
        except ImportError as error:
            print(f"{name} is left out: {error}")
        else:
            found[name] = theirs(data, hidden, way, packs=False)
    layouts = (
        Padded(BATCH_SIZE),
        Bucketed(boundaries=data.boundaries, batch_size=BATCH_SIZE),
        Packed(sequences=BATCH_SIZE),
    )
    found |= {name: ours(data, hidden, layout) for name, layout in zip(OURS, layouts, strict=True)}
    torch.manual_seed(seed)
    weights = Theirs(hidden, packs=True).state_dict()
    for contestant in found.values():
        contestant.model.load_state_dict(weights)
    return found


# --- training


def train(optimizer: torch.optim.Optimizer, losses: Iterator[Tensor]) -> None:
    """Makes an update of each loss."""
    for loss in losses:
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def loss_over_all(model: nn.Module, data: Data) -> float:
    """Returns the mean over all sequences, worked out by PyTorch's packed sequences."""
    twin = Theirs(model.head.in_features, packs=True)
    twin.load_state_dict(model.state_dict())
    with torch.no_grad():
        sums = [
            cross_entropy(twin(x, lengths), labels, reduction="sum")
            for x, lengths, labels in map(
                padding_of, (data.examples[at : at + 256] for at in range(0, len(data.examples), 256))
            )
        ]
    return float(sum(sums)) / len(data.examples)


def figures_of(data: Data, hidden: int, arguments: Namespace) -> dict[str, dict[str, float]]:
    """Returns the losses after equal updates, and the speeds."""
    rivals = contestants(data, hidden, arguments.seed)
    optimizers = {name: torch.optim.Adam(rival.model.parameters(), lr=1e-3) for name, rival in rivals.items()}
    epochs = max(1, round(arguments.steps / data.lengths.sum()))
    updates = epochs * (-(-len(data.examples) // BATCH_SIZE))
    found: dict[str, dict[str, float]] = {}
    seconds: dict[str, list[float]] = {}
    for name, rival in rivals.items():
        losses = islice(chain.from_iterable(map(rival.losses, count())), updates)
        first = seconds_of(partial(train, optimizers[name], losses))
        seconds[name] = [first] if first > arguments.patience else []
        found[name] = {"updates": updates, "loss": loss_over_all(rival.model, data)}
    in_turn = [name for name, times in seconds.items() if not times]
    for turn in range(arguments.repeats):
        for name in in_turn:
            losses = chain.from_iterable(map(rivals[name].losses, range(epochs * (turn + 1), epochs * (turn + 2))))
            seconds[name].append(seconds_of(partial(train, optimizers[name], losses)))
    steps = epochs * int(data.lengths.sum())
    strongest = min((name for name in rivals if name not in OURS), key=lambda name: median(seconds[name]))
    for name, times in seconds.items():
        found[name]["real_steps_per_second"] = steps / median(times)
        pairs = zip(seconds[strongest], times, strict=False)
        found[name]["of_strongest"] = median(their / own for their, own in pairs)
    return found


def lengths_given(arguments: Namespace) -> dict[str, Ints]:
    """Returns the lengths of each set, some drawn at random where there are many."""
    sets = {"lognormal": lognormal_lengths(arguments.sequences, arguments.seed, float(np.log(61) - 0.32), 422)}
    rng = np.random.default_rng(arguments.seed)
    for name, lengths in all_lengths(arguments.data).items():
        sets[name] = rng.permutation(lengths)[: arguments.sequences]
    return {name: lengths for name, lengths in sets.items() if arguments.sets is None or name in arguments.sets}


def main() -> None:
    parser = arguments_of(__doc__, "epoch")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), metavar="FOLDER")
    parser.add_argument("--hidden", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--sets", nargs="+", metavar="NAME", help="only these sets; default: all")
    parser.add_argument("--sequences", type=int, default=2048, help="at most, of each set")
    parser.add_argument(
        "--steps", type=int, default=100_000, help="real steps that a turn holds, about; at least an epoch"
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--patience", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="default: as torch chooses")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    figures: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    facts: dict[str, Any] = {}
    load_before = os.getloadavg()[0]
    for name, lengths in lengths_given(arguments).items():
        data = data_of(lengths, arguments.seed)
        facts[name] = {"sequences": len(lengths), "mean": float(lengths.mean()), "longest": int(lengths.max())}
        for hidden in arguments.hidden:
            found = figures.setdefault(name, {})[str(hidden)] = figures_of(data, hidden, arguments)
            print(f"\n{name}, {hidden} units, {arguments.threads} threads\n", flush=True)
            print(
                markdown(("", "real steps/s", "× strongest of the others", "loss"), map(line, found.items())),
                flush=True,
            )
    settings = {key: value for key, value in vars(arguments).items() if key != "json"}
    loads = [load_before, os.getloadavg()[0]]
    record = {**where(("drystone", "numpy", "torch", "transformers")), **settings, "load_before_and_after": loads}
    write(arguments.json, {**record, "data": facts, "figures": figures})


def line(item: tuple[str, dict[str, float]]) -> list[str]:
    name, found = item
    return [
        name,
        f"{found['real_steps_per_second'] / 1e3:,.1f} k",
        f"{found['of_strongest']:.2f}",
        f"{found['loss']:.4f}",
    ]


if __name__ == "__main__":
    main()
