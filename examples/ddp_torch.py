"""Trains in a loop of one's own on several processes, with PyTorch's DDP: each takes its rows of every batch.

The usual trap: DDP takes the mean of the ranks' means, so sequences in short or light shares count more than others, and the loss
that is printed is that of one rank. Here the loss of a rank is divided by the mean weight of all ranks, so the gradient is that of one process.

Example, on the built-in recordings of vowels (UCI archive; Kudo, Toyama and Shimbo 1999; CC BY 4.0):
    torchrun --nproc-per-node=2 examples/ddp_torch.py
"""

import argparse

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

import drystone as ds
from drystone.torch import LSTM, TensorBatch, batches, pool


class Speaker(nn.Module):
    """Says of each sequence which of nine speakers it is."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.lstm, self.head = LSTM(12, hidden, bidirectional=True), nn.Linear(2 * hidden, 9)

    def forward(self, batch: TensorBatch) -> Tensor:
        return self.head(pool(self.lstm.run(batch["x"], batch.grid).output, batch.grid, "max"))  # [sequences, speakers]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--hidden", type=int, default=32)
    args = parser.parse_args()
    seqs = ds.read("japanese-vowels")
    train = seqs.select([each["part"] == "train" for each in seqs])

    distributed.init_process_group("gloo")  # "nccl" on GPUs; torchrun says who is who
    rank, num_ranks = distributed.get_rank(), distributed.get_world_size()
    loader = ds.Loader(train, ds.Packed(sequences=16), seed=0, rank=rank, num_ranks=num_ranks)
    torch.manual_seed(0)
    model = DistributedDataParallel(Speaker(args.hidden))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for epoch in range(args.epochs):
        sums = torch.zeros(2)
        for batch in batches(loader, dtype=torch.float32):
            logits = model(batch)
            targets = torch.tensor([int(label) - 1 for label in batch["speaker"]], dtype=torch.long)
            loss = nn.functional.cross_entropy(logits, targets, reduction="sum")
            now = torch.stack([loss.detach(), torch.tensor(float(len(targets)))])
            distributed.all_reduce(now)  # Σ loss and Σ weight over all ranks
            (loss * num_ranks / now[1]).backward()  # DDP divides by num_ranks
            optimizer.step()
            optimizer.zero_grad()
            sums += now
        if rank == 0:
            print(f"epoch {epoch + 1}: loss {sums[0] / sums[1]:.6f}")
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
