"""Takes code with `pack_padded_sequence` over as it is, and then drops the packing for a grid: the same, faster.

The usual trap: `pack_padded_sequence` sorts, or asks for sorted lengths, and the targets are not sorted along; lengths
must lie on the host, so a GPU waits; and packed input runs slower than padded input. A grid of
`Packed(sequences=...)` needs no sorting, and `batch["y"]` comes in the order of the outputs.

Example, on the built-in recordings of vowels (UCI archive; Kudo, Toyama and Shimbo 1999; CC BY 4.0):
    python examples/packed_sequences_torch.py --epochs 20
"""

import argparse
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import drystone as ds
from drystone.torch import LSTM, TensorBatch, batches, by_sequence

BATCH_SIZE = 32


def step_losses(output: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """The loss at real steps only, one a step."""
    return ((output - target) ** 2).mean(-1)[valid]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=10)
    args = parser.parse_args()

    seqs = ds.read("japanese-vowels").ahead("x", [1], name="next")  # forecast the next step, where there is one
    lstm, head = LSTM(12, 64), nn.Linear(64, 12)

    def packed_losses(batch: TensorBatch) -> Tensor:
        lengths = batch.valid.sum(1)
        packed = pack_padded_sequence(batch["x"], lengths, batch_first=True, enforce_sorted=False)
        output, _ = lstm(packed)  # a PackedSequence, as from torch.nn.LSTM
        padded, _ = pad_packed_sequence(output, batch_first=True)
        return step_losses(head(padded), batch["next"].squeeze(2), batch.scored)

    def grid_losses(batch: TensorBatch) -> Tensor:
        output = lstm.run(batch["x"], batch.grid).output
        return step_losses(head(output), batch["next"].squeeze(2), batch.scored)

    ways: dict[str, tuple[ds.Layout, Callable[[TensorBatch], Tensor]]] = {
        "PackedSequence": (ds.Padded(BATCH_SIZE), packed_losses),
        "grid": (ds.Packed(sequences=BATCH_SIZE), grid_losses),
    }
    for name, (layout, losses) in ways.items():
        torch.manual_seed(0)
        lstm.reset_parameters()
        head.reset_parameters()
        optimizer = torch.optim.Adam([*lstm.parameters(), *head.parameters()], lr=3e-3)
        started = time.perf_counter()
        loader = ds.Loader(seqs, layout)
        for _ in range(args.epochs):
            loss_sum, count = 0.0, 0
            for batch in batches(loader):
                found = losses(batch)
                optimizer.zero_grad()
                found.mean().backward()
                optimizer.step()
                loss_sum, count = loss_sum + found.sum().item(), count + len(found)
        seconds = time.perf_counter() - started
        print(f"{name}: loss {loss_sum / count:.4f} over {count} steps, {args.epochs * count / seconds:,.0f} steps/s")

    batch = next(batches(ds.Loader(seqs, ds.Packed(sequences=BATCH_SIZE))))
    found = by_sequence(lstm.run(batch["x"], batch.grid).output, batch.grid)  # one sequence a row, as unpacked
    print(f"one row a sequence again: {tuple(found.values.shape)}, the first of {found.lengths[0]} steps")


if __name__ == "__main__":
    main()
