"""Which kernel runs, and the words that say why."""

import numpy as np
import pytest
import torch

import drystone as ds
from drystone.torch import LSTM, TensorBatch, batches
from drystone.torch_ops.choose import choose
from drystone.torch_ops.kernel import Layer, Masks, Weights


def batch_of_two() -> TensorBatch:
    seqs = ds.Sequences.from_arrays(per_step={"x": [np.ones((3, 2), "f"), np.ones((1, 2), "f")]})
    return next(batches(ds.Loader(seqs, ds.Packed(rows=1, steps=4, order="given"))))


@pytest.mark.parametrize(
    ("kernel", "device", "words"),
    [
        (
            "auto",
            "cpu",
            "fused: runs, the first that can\nvendor: not needed: fused runs and comes first\n"
            "reference: not needed: fused runs and comes first",
        ),
        (
            "reference",
            "cpu",
            "fused: not asked for: kernel='reference'\nvendor: not asked for: kernel='reference'\nreference: runs, as kernel='reference' asks",
        ),
        (
            "auto",
            "meta",
            "fused: refused: it runs on cpu only, and the input is on meta\n"
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


def test_explaining_draws_no_random_numbers() -> None:
    lstm = LSTM(2, 3, weight_dropout=0.5)
    before = torch.get_rng_state()
    lstm.explain(batch_of_two())
    assert torch.equal(torch.get_rng_state(), before)


def test_a_kernel_that_refuses_is_named_with_its_reason() -> None:
    masks = Masks.of(np.ones((1, 4), dtype=bool), np.zeros((1, 4), dtype=bool), torch.device("meta"))
    weights = Weights(*(torch.empty(12, size, device="meta") for size in (2, 3)), None, None)
    layer = Layer(torch.empty(1, 4, 2, device="meta"), None, weights, masks)
    with pytest.raises(
        ds.ShapeError, match=r"the vendor kernel cannot run this batch: .* is on meta. Use kernel=\"auto\""
    ):
        choose("vendor", layer)
    assert choose("auto", layer).name == "reference"
