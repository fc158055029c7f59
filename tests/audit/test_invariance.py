"""The usual traps must be caught by name of what they depend on; correct models must pass."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import drystone as ds
from drystone.audit import (
    BatchModel,
    PaddedModel,
    Report,
    Subject,
    assert_invariant,
    check_batch_mates,
    check_gradients,
    check_padding_content,
    check_padding_length,
    check_place,
)
from drystone.torch import LSTM, TensorBatch, pool

CHECKS = {
    "content": check_padding_content,
    "length": check_padding_length,
    "mates": check_batch_mates,
    "place": check_place,
    "gradients": check_gradients,
}
LENGTHS = (3, 2, 5, 3)  # batch norm cannot train on one step alone
UNITS = 4
Model = Callable[[Tensor, Tensor], Any]


def arrays(lengths: tuple[int, ...] = LENGTHS) -> list[Tensor]:
    rng = np.random.default_rng(3)
    return [torch.from_numpy(rng.normal(size=(length, 2))) for length in lengths]


def sequences() -> ds.Sequences:
    return ds.Sequences.from_arrays({"x": [array.numpy() for array in arrays((3, 1, 5, 3))]})


def failing(subject: Subject) -> set[str]:
    return {name for name, check in CHECKS.items() if not check(subject).passed}


def plain_lstm(*, bidirectional: bool = False) -> nn.LSTM:
    torch.manual_seed(0)
    return nn.LSTM(2, UNITS, batch_first=True, bidirectional=bidirectional, dtype=torch.float64)


def mask_of(x: Tensor, lengths: Tensor) -> Tensor:
    return torch.arange(x.shape[1]) < lengths[:, None]


def masked_mean(values: Tensor, valid: Tensor) -> Tensor:
    return torch.where(valid[..., None], values, 0.0).sum(1) / valid.sum(1)[:, None]


def padded(make: Callable[[nn.LSTM], Model], *, bidirectional: bool = False, **options: Any) -> PaddedModel:
    lstm = plain_lstm(bidirectional=bidirectional)
    return PaddedModel(make(lstm), arrays(), module=lstm, **options)


# Traps in models of padded arrays: (x, lengths)


def mask_unused(lstm: nn.LSTM) -> Model:
    return lambda x, lengths: lstm(x)[0].mean(1)


def final_state_at_the_padded_end(lstm: nn.LSTM) -> Model:
    return lambda x, lengths: {"h": lstm(x)[1][0].transpose(0, 1)}


def backward_direction_reads_padding_first(lstm: nn.LSTM) -> Model:
    def model(x: Tensor, lengths: Tensor) -> Tensor:
        output = lstm(x)[0]
        last = output[torch.arange(len(x)), lengths - 1]
        return torch.cat([last[:, :UNITS], output[:, 0, UNITS:]], dim=1)

    return model


def zeroed_cells_in_the_mean(lstm: nn.LSTM) -> Model:
    def model(x: Tensor, lengths: Tensor) -> Tensor:
        return torch.where(mask_of(x, lengths)[..., None], lstm(x)[0], 0.0).mean(1)

    return model


def zeroed_cells_in_the_maximum(lstm: nn.LSTM) -> Model:
    def model(x: Tensor, lengths: Tensor) -> Tensor:
        return torch.where(mask_of(x, lengths)[..., None], lstm(x)[0] - 2, 0.0).amax(1)

    return model


def batch_norm_over_padding(lstm: nn.LSTM) -> Model:
    norm = nn.BatchNorm1d(UNITS, dtype=torch.float64)

    def model(x: Tensor, lengths: Tensor) -> Tensor:
        return masked_mean(norm(lstm(x)[0].transpose(1, 2)).transpose(1, 2), mask_of(x, lengths))

    return model


def attention_over_padding(lstm: nn.LSTM) -> Model:
    def model(x: Tensor, lengths: Tensor) -> Tensor:
        output = lstm(x)[0]
        return (output.sum(2, keepdim=True).softmax(1) * output).sum(1)

    return model


def batch_norm_over_valid_steps(lstm: nn.LSTM) -> Model:
    norm = nn.BatchNorm1d(UNITS, dtype=torch.float64)

    def model(x: Tensor, lengths: Tensor) -> Tensor:
        valid = mask_of(x, lengths)
        output = lstm(x)[0]
        return masked_mean(output.masked_scatter(valid[..., None], norm(output[valid])), valid)

    return model


def rows_left_sorted(lstm: nn.LSTM) -> Model:
    def model(x: Tensor, lengths: Tensor) -> Tensor:
        order = lengths.argsort(descending=True, stable=True)
        packed = pack_padded_sequence(x[order], lengths[order], batch_first=True)
        return lstm(packed)[1][0][-1]

    return model


def hidden_leak_in_the_gradient(lstm: nn.LSTM) -> Model:
    def model(x: Tensor, lengths: Tensor) -> Tensor:
        output = masked_mean(lstm(x)[0], mask_of(x, lengths))
        return output + output.mean(0) - output.mean(0).detach() - (output.mean(0) - output.mean(0).detach()).detach()

    return model


@pytest.mark.parametrize(
    ("trap", "bidirectional", "expected"),
    [
        (mask_unused, False, {"content", "length"}),
        (final_state_at_the_padded_end, False, {"content", "length"}),
        (backward_direction_reads_padding_first, True, {"content", "length"}),
        (zeroed_cells_in_the_mean, False, {"length"}),
        (zeroed_cells_in_the_maximum, False, {"length"}),
        (batch_norm_over_padding, False, {"content", "length", "mates"}),
        (attention_over_padding, False, {"content", "length"}),
        (batch_norm_over_valid_steps, False, {"mates"}),
        (rows_left_sorted, False, {"mates", "place"}),
        (hidden_leak_in_the_gradient, False, {"mates", "gradients"}),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_traps_are_caught_for_what_they_are(
    trap: Callable[[nn.LSTM], Model], bidirectional: bool, expected: set[str]
) -> None:
    assert failing(padded(trap, bidirectional=bidirectional)) - {"gradients"} == expected - {"gradients"}
    if "gradients" in expected:
        assert "gradients" in failing(padded(trap, bidirectional=bidirectional))


def test_a_model_that_counts_columns_is_caught_by_padding_before_sequences() -> None:
    model = padded(lambda lstm: lambda x, valid: lstm(x + torch.arange(x.shape[1])[:, None])[0], per_step=["output"])
    told_mask = PaddedModel(model.model, arrays(), takes="mask", per_step=["output"])
    assert check_place(model).passed
    report = check_place(told_mask)
    assert report.changes[0].where.startswith("with one sequence a row and padding before it")


# Traps on batches


def on_batches(lstm: LSTM, change: Callable[[TensorBatch], Tensor]) -> BatchModel:
    return BatchModel(change, sequences(), per_step=["output"], module=lstm)


def grid_lstm(**options: Any) -> LSTM:
    torch.manual_seed(0)
    return LSTM(2, UNITS, dtype=torch.float64, **options)


def test_resets_that_are_left_out_are_caught() -> None:
    lstm = grid_lstm()
    subject = on_batches(lstm, lambda batch: lstm(batch["x"], valid=batch.valid)[0])
    assert failing(subject) == {"mates", "place", "gradients"}
    changes = [change for change in check_place(subject).changes if change.result == "output"]
    assert changes
    assert all("end to end on one row" in change.where for change in changes)


def test_valid_that_is_left_out_is_caught() -> None:
    lstm = grid_lstm()

    def model(batch: TensorBatch) -> Tensor:
        run = lstm(batch["x"], reset=batch.reset)
        return run[0].flip(1).cumsum(1).flip(1)

    assert {"content", "length"} <= failing(on_batches(lstm, model))


def test_only_the_gradient_of_a_parameter_changes() -> None:
    weight = nn.Parameter(torch.ones(2, dtype=torch.float64))
    module = nn.Module()
    module.weight = weight

    def model(x: Tensor, lengths: Tensor) -> Tensor:
        noise = (x.sum() - (x * mask_of(x, lengths)[..., None]).sum()).detach()
        return masked_mean(x * weight, mask_of(x, lengths)) + (noise * (weight - weight.detach()))

    report = check_padding_content(PaddedModel(model, arrays(), module=module))
    assert [(change.result, change.sequence) for change in report.changes] == [
        ("gradient with regard to parameter weight", None)
    ]


# Correct models


@pytest.mark.parametrize(("num_layers", "bidirectional"), [(1, False), (2, True)])
@pytest.mark.parametrize("kernel", ["auto", "reference"])
def test_our_lstm_passes(bidirectional: bool, num_layers: int, kernel: str) -> None:
    lstm = grid_lstm(bidirectional=bidirectional, num_layers=num_layers, kernel=kernel)

    def model(batch: TensorBatch) -> dict[str, Tensor]:
        run = lstm.run(batch["x"], batch.grid)
        pools = {how: pool(run.output, batch.grid, how, bidirectional=bidirectional) for how in ("mean", "max", "last")}
        h, c = (part.transpose(0, 1) for part in run.final)
        return {"output": run.output, "h": h, "c": c} | pools

    assert_invariant(BatchModel(model, sequences(), per_step=["output"], module=lstm), tolerance=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_our_lstm_passes_in_other_types(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    lstm = LSTM(2, UNITS, dtype=dtype)
    assert_invariant(
        BatchModel(lambda batch: lstm.run(batch["x"], batch.grid).output, sequences(), per_step=["output"], dtype=dtype)
    )


def packed_input(lstm: nn.LSTM) -> Model:
    def model(x: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        output, (h, c) = lstm(packed)
        steps, _ = pad_packed_sequence(output, batch_first=True)
        return {"output": steps, "h": h.transpose(0, 1), "c": c.transpose(0, 1)}

    return model


@pytest.mark.parametrize("bidirectional", [False, True])
def test_packed_input_of_nn_lstm_passes(bidirectional: bool) -> None:
    assert_invariant(padded(packed_input, bidirectional=bidirectional, per_step=["output"]))


def masked_attention(lstm: nn.LSTM) -> Model:
    norm = nn.BatchNorm1d(2, dtype=torch.float64).eval()

    def model(x: Tensor, valid: Tensor) -> Tensor:
        x = norm(x.transpose(1, 2)).transpose(1, 2)
        score = x.sum(2, keepdim=True).masked_fill(~valid[..., None], -torch.inf)
        return (score.softmax(1) * x).sum(1)

    return model


def test_a_masked_model_passes() -> None:
    assert_invariant(padded(masked_attention, takes="mask"))


def test_token_ids_are_replaced_by_token_ids() -> None:
    torch.manual_seed(0)
    table = nn.Embedding(5, 3)
    ids = [torch.tensor([1, 2, 3, 4]), torch.tensor([4, 1])]
    good = PaddedModel(lambda x, lengths: masked_mean(table(x), mask_of(x, lengths)), ids, module=table)
    assert_invariant(good)
    bad = PaddedModel(lambda x, lengths: table(x).sum(1), ids, module=table)
    assert {"content", "length", "gradients"} <= failing(bad)


# Randomness, reports, bad input


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_dropout_in_training_mode_is_not_blamed_on_padding(check: Callable[[Subject], Report]) -> None:
    dropout = nn.Dropout(0.5)
    subject = PaddedModel(lambda x, lengths: dropout(x), arrays(), per_step=["output"])
    report = check(subject)
    assert report.is_random
    assert not report.passed
    assert "two runs on the same batch differ" in str(report)
    with pytest.raises(ds.AuditError, match="Call model.eval"):
        report.check()
    dropout.eval()
    check(subject).check()


def test_a_report_says_what_changed_where_and_by_how_much() -> None:
    leak = PaddedModel(lambda x, lengths: x + 0.5 * x[:, -1:], [torch.ones(2), torch.ones(4)], per_step=["output"])
    found = check_padding_content(leak)
    values = [change for change in found.changes if change.result == "output"]
    assert {change.sequence for change in values} == {0, 1}
    assert str(found).startswith("Do results depend on what padded cells hold? Yes: mask padded cells")
    assert "the output of sequence 0, step 0, differs by" in str(found)
    with pytest.raises(AssertionError, match="Do results depend on what padded cells hold"):
        assert_invariant(leak)


def test_a_value_that_becomes_nan_is_a_change_and_nan_from_the_start_an_error() -> None:
    subject = PaddedModel(lambda x, lengths: (1 - x.abs().sum(1) / 5).sqrt(), [torch.ones(2), torch.ones(4)])
    changes = check_padding_content(subject, tolerance=1e9).changes
    assert {(change.result, change.sequence, change.error) for change in changes} >= {
        ("output", 0, torch.inf),
        ("output", 1, torch.inf),
    }
    always = PaddedModel(lambda x, lengths: x.sum(1) * torch.nan, [torch.ones(2), torch.ones(4)])
    with pytest.raises(ds.DataError, match="the output of sequence 0 is NaN"):
        check_padding_content(always)
    root = nn.Parameter(torch.zeros(1))
    module = nn.ParameterDict({"root": root})
    steep = PaddedModel(lambda x, lengths: x[:, 0] + root.abs().sqrt(), [torch.ones(2), torch.ones(4)], module=module)
    with pytest.raises(ds.DataError, match="gradient with regard to parameter root is NaN"):
        check_padding_content(steep)


def unusable() -> Iterable[tuple[Callable[[], Any], type[Exception], str]]:
    def of(model: Model, **options: Any) -> Callable[[], Any]:
        return lambda: check_padding_content(PaddedModel(model, arrays(), **options))

    yield of(lambda x, lengths: (x, x)), ds.ShapeError, "returned a tuple; return a tensor, or a dict"
    yield of(lambda x, lengths: {}), ds.ShapeError, "returned an empty dict; return a tensor, or a dict"
    yield of(lambda x, lengths: x[:2].sum(1)), ds.ShapeError, r"output has shape \(2, 2\); expected \[4 sequences"
    yield of(lambda x, lengths: x), ds.ShapeError, "Name it in per_step"
    yield of(lambda x, lengths: x.sum(1), per_step=["output"]), ds.ShapeError, r"expected \[4 rows, 5 steps"
    yield of(lambda x, lengths: x, per_step=["h"]), ds.ShapeError, r"per_step names \['h'\].*returns \['output'\]"
    yield lambda: PaddedModel(lambda x, lengths: x, arrays()[:1]), ds.DataError, r"got lengths \[3\]"
    yield lambda: PaddedModel(lambda x, lengths: x, [torch.ones(2), torch.ones(2)]), ds.DataError, "different lengths"
    bad = [torch.ones(2, 1), torch.ones(3, 2)]
    yield lambda: PaddedModel(lambda x, lengths: x, bad), ds.ShapeError, r"sequences\[1\] is .* Only lengths may differ"
    constant = PaddedModel(lambda x, lengths: x.detach().sum(1), arrays())
    yield lambda: check_gradients(constant), ds.DataError, "no result of the model has a gradient"


@pytest.mark.parametrize(("call", "error", "message"), list(unusable()))
def test_what_cannot_be_audited_is_refused_in_words(
    call: Callable[[], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call()
