"""Training of a language model of characters: updates of the usual PyTorch script and of drystone, in turn in one process.

    python benchmarks/language_model.py --data ../shared/data --threads 2
    python benchmarks/language_model.py --data ../shared/data --threads 1 --clock cpu

- script: as in pytorch/examples/word_language_model. The text is cut into rows, which go time-major through nn.Embedding,
  nn.LSTM and nn.Linear a few steps at a time, the state detached; cross entropy, clipped gradients, Adam.
- drystone: the text as one document, cut into as many rows, in batches of `Stateful(rows, steps)`; `LanguageModel`, the
  state carried; the same cross entropy, clipping and Adam (fused on both sides, which is the fastest).

Both start from the same weights and see the same characters in the same order, without dropout: their losses are compared
update by update. Reading, cutting and collating count. A turn is some updates of each; the ratio is the median over turns
of script ÷ drystone. On a machine that does other work too, `--clock cpu` counts the processor's time of this process,
which is that of one thread.
"""

import time
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from common import arguments_of, markdown, where, write
from torch import Tensor, nn
from torch.nn import functional

import drystone as ds
from drystone.torch import CarriedState, batches
from drystone.torch.language import LanguageModel, next_of

FIRST_ID = 2  # 0 is padding, 1 is unknown
CLIP, LEARNING_RATE = 1.0, 2e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A model and its batches."""

    embedding: int
    hidden: int
    layers: int
    rows: int
    steps: int

    def __str__(self) -> str:
        return f"{self.embedding} → {self.layers} × {self.hidden}, {self.rows} × {self.steps}"


SIZES = (
    Size(embedding=64, hidden=512, layers=1, rows=64, steps=64),
    Size(embedding=128, hidden=512, layers=1, rows=32, steps=100),
    Size(embedding=512, hidden=512, layers=1, rows=64, steps=64),
    Size(embedding=128, hidden=256, layers=2, rows=64, steps=64),
    Size(embedding=256, hidden=256, layers=1, rows=128, steps=64),
    Size(embedding=256, hidden=256, layers=2, rows=64, steps=64),
    Size(embedding=200, hidden=200, layers=2, rows=20, steps=35),  # as the script has them
)


class ScriptModel(nn.Module):
    """The model of the usual script, with the weights of another."""

    def __init__(self, size: Size, num_tokens: int) -> None:
        super().__init__()
        self.encoder = nn.Embedding(num_tokens, size.embedding)
        self.rnn = nn.LSTM(size.embedding, size.hidden, size.layers)
        self.decoder = nn.Linear(size.hidden, num_tokens)

    def take(self, model: LanguageModel) -> None:
        self.encoder.weight.data.copy_(model.embedding.weight)
        self.rnn.load_state_dict(model.lstm.state_dict())
        self.decoder.load_state_dict(model.head.state_dict())

    def forward(self, ids: Tensor, state: Any) -> tuple[Tensor, Any]:
        output, state = self.rnn(self.encoder(ids), state)
        return self.decoder(output).flatten(0, 1), state


def updated(model: nn.Module, optimizer: torch.optim.Optimizer, logits: Tensor, targets: Tensor) -> float:
    loss = functional.cross_entropy(logits, targets)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), CLIP)
    optimizer.step()
    return float(loss.detach())


def adam_of(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(model.parameters(), LEARNING_RATE, fused=True)


def script(model: ScriptModel, ids: Tensor, size: Size) -> Iterator[float]:
    """Yields the loss of each update."""
    num_steps = len(ids) // size.rows
    source = ids[: num_steps * size.rows].view(size.rows, num_steps).t().contiguous()
    optimizer = adam_of(model)
    while True:
        state = None
        for first in range(0, num_steps - 1, size.steps):
            data, target = source[first : first + size.steps], source[first + 1 : first + 1 + size.steps]
            logits, state = model(data[: len(target)], state)
            state = tuple(part.detach() for part in state)
            yield updated(model, optimizer, logits, target.flatten())


def drystones(model: LanguageModel, ids: Tensor, size: Size) -> Iterator[float]:
    """Yields the loss of each update."""
    text = ds.Sequences.from_arrays({"ids": [ids.numpy()]}).ahead("ids", [1], "next").cut(size.rows)
    loader = ds.Loader(text, ds.Stateful(rows=size.rows, steps=size.steps))
    optimizer = adam_of(model)
    while True:
        carried = CarriedState()
        for batch in batches(loader):
            logits, carried = carried.run(model, batch)
            yield updated(model, optimizer, logits, next_of(batch))


def both(size: Size, ids: Tensor, seed: int) -> dict[str, Iterator[float]]:
    torch.manual_seed(seed)
    num_tokens = int(ids.max()) + 1
    ours, theirs = LanguageModel(num_tokens, size.embedding, size.hidden, size.layers), ScriptModel(size, num_tokens)
    theirs.take(ours)
    return {"script": script(theirs, ids, size), "drystone": drystones(ours, ids, size)}


def measured(size: Size, ids: Tensor, arguments: Namespace) -> dict[str, Any]:
    clock = time.process_time if arguments.clock == "cpu" else time.perf_counter
    ways = both(size, ids[: len(ids) - len(ids) % size.rows], arguments.seed)  # the script would trim the rest itself
    losses: dict[str, list[float]] = {name: [] for name in ways}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(arguments.turns + 1):  # the first one warms up
        for name, updates in ways.items():
            started = clock()
            losses[name] += islice(updates, arguments.updates)
            if turn:
                seconds[name].append(clock() - started)
    ratios = [theirs / ours for theirs, ours in zip(*seconds.values(), strict=True)]
    apart = np.abs(np.subtract(*losses.values())) / losses["script"]
    count = size.rows * size.steps * arguments.updates
    return {
        "size": asdict(size),
        "characters_a_second": {name: count / median(found) for name, found in seconds.items()},
        "ratio": median(ratios),
        "ratios": ratios,
        "losses": losses,
        "largest_relative_difference_of_losses": float(apart.max()),
    }


def line_of(size: Size, found: dict[str, Any]) -> list[str]:
    theirs, ours = found["characters_a_second"].values()
    first, last = (found["losses"]["drystone"][at] for at in (0, -1))
    apart = found["largest_relative_difference_of_losses"]
    return [
        str(size),
        f"{theirs:,.0f}",
        f"{ours:,.0f}",
        f"{found['ratio']:.2f}",
        f"{first:.3f} → {last:.3f}",
        f"{apart:.0e}",
    ]


def main() -> None:
    parser = arguments_of(__doc__, "language_model")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), metavar="FOLDER")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="default: as torch chooses")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--updates", type=int, default=3, help="of each way, in a turn")
    parser.add_argument(
        "--only", type=int, nargs="*", metavar="NUMBER", help="of the sizes, counted from 0; default: all"
    )
    arguments = parser.parse_args()
    if arguments.clock == "cpu" and arguments.threads != 1:
        parser.error("--clock cpu counts the time of all threads together; use it with --threads 1.")
    torch.set_num_threads(arguments.threads)
    text = (arguments.data / "tinyshakespeare" / "input.txt").read_text(encoding="utf-8")
    letters = {letter: number for number, letter in enumerate(sorted(set(text)), FIRST_ID)}
    ids = torch.tensor([letters[letter] for letter in text])
    sizes = SIZES if arguments.only is None else [SIZES[number] for number in arguments.only]
    figures = []
    for size in sizes:
        figures.append(measured(size, ids, arguments))
        print(line_of(size, figures[-1]), flush=True)
    headers = ("embedding → layers × units, rows × steps", "script", "drystone", "ratio", "loss", "apart by")
    print(markdown(headers, [line_of(size, found) for size, found in zip(sizes, figures, strict=True)]))
    settings = {key: value for key, value in vars(arguments).items() if key not in ("json", "data")}
    write(arguments.json, {**where(("drystone", "numpy", "torch")), **settings, "figures": figures})


if __name__ == "__main__":
    main()
