"""Which kernel runs, and the words that say why."""

import numpy as np
import pytest
import torch

import drystone as ds
from drystone.torch import LSTM, batches


def batch_of_two() -> object:
    seqs = ds.Sequences.from_arrays(per_step={"x": [np.ones((3, 2), "f"), np.ones((1, 2), "f")]})
    return next(batches(ds.Loader(seqs, ds.Packed(rows=1, steps=4, order="given"))))


@pytest.mark.parametrize(
    ("kernel", "device", "words"),
    [
        ("auto", "cpu", "vendor: runs, the first that can\nreference: not needed: vendor runs and comes first"),
        ("reference", "cpu", "vendor: not asked for: kernel='reference'\nreference: runs, as kernel='reference' asks"),
        (
            "auto",
            "meta",
            "vendor: refused: its resets are proven exact on cpu and cuda only, and the input is on meta\n"
            "reference: runs, the first that can",
        ),
    ],
)
def test_every_kernel_says_why(kernel: str, device: str, words: str) -> None:
    lstm = LSTM(2, 3, kernel=kernel, device=device)
    batch = batch_of_two()
    assert lstm.explain(batch) == words
    assert lstm.explain(batch.grid) == words


def test_what_is_refused_elsewhere_runs_on_the_plain_loop() -> None:
    output, _ = LSTM(2, 3, device="meta")(torch.empty(1, 4, 2, device="meta"))
    assert output.shape == (1, 4, 3)
