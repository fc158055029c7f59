"""Language models, against an embedding, an `nn.LSTM` and a linear layer over one document at a time."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import drystone as ds
from drystone.torch import CarriedState, batches
from drystone.torch.language import LanguageDropout, LanguageModel, TiedHead, cost_of, next_of, next_tokens
from tests.torch.language.texts import BEGIN, NUM_TOKENS, documents, layouts, model_of, sequences

models = st.fixed_dictionaries(
    {"embedding_size": st.sampled_from([3, 4]), "num_layers": st.integers(1, 2), "tied": st.booleans()}
)


def one_at_a_time(model: LanguageModel, arrays: list[Any]) -> list[Tensor]:
    """Of each document, a score for each token after the beginning and after all of its tokens but the last."""
    lstm = nn.LSTM(model.lstm.input_size, model.lstm.hidden_size, model.lstm.num_layers, batch_first=True).double()
    lstm.load_state_dict(model.lstm.state_dict())
    found = []
    for ids in arrays:
        output, _ = lstm(model.embedding(torch.tensor([[BEGIN, *ids[:-1]]])))
        if isinstance(model.head, TiedHead) and isinstance(model.head.narrowed, nn.Linear):
            output = output @ model.head.narrowed.weight.T
        found.append((output @ model.head.weight.T + model.head.bias)[0])
    return found


@given(arrays=documents, layout=layouts, sizes=models)
@settings(max_examples=40)
def test_scores_are_those_of_one_document_at_a_time(arrays: list[Any], layout: ds.Layout, sizes: Any) -> None:
    model, carried = model_of(**sizes), CarriedState()
    expected = one_at_a_time(model, arrays)
    count = 0
    for batch in batches(ds.Loader(next_tokens(sequences(arrays), begin=BEGIN), layout)):
        logits, carried = carried.run(model, batch)
        rows, steps = np.nonzero(batch.host.scored)
        offset = np.zeros(batch.shape, np.int64)
        spans = batch.spans
        for row, start, stop, first in zip(spans.row, spans.start, spans.stop, spans.offset, strict=True):
            offset[row, start:stop] = np.arange(first, first + stop - start)
        for scores, sequence, step in zip(logits, batch.host.sequence[rows, steps], offset[rows, steps], strict=True):
            torch.testing.assert_close(scores, expected[sequence][step], rtol=1e-12, atol=1e-13)
            count += 1
    assert count == sum(map(len, arrays)), "every token is foretold once"


@given(arrays=documents, layout=layouts)
@settings(max_examples=30)
def test_perplexity_is_the_same_in_every_layout(arrays: list[Any], layout: ds.Layout) -> None:
    model = model_of()
    found = cost_of(model, batches(ds.Loader(next_tokens(sequences(arrays), begin=BEGIN), layout)))
    shares = [
        nn.functional.log_softmax(scores, 1)[range(len(ids)), ids]
        for scores, ids in zip(one_at_a_time(model, arrays), arrays, strict=True)
    ]
    assert found.num_tokens == sum(map(len, arrays))
    expected = -torch.cat(shares).mean().detach()
    torch.testing.assert_close(found.nats_per_token, float(expected), rtol=1e-12, atol=0)
    torch.testing.assert_close(found.perplexity, float(expected.exp()), rtol=1e-12, atol=0)
    assert found.bits_per_token == pytest.approx(found.nats_per_token / np.log(2))


@given(arrays=documents, sizes=models)
@settings(max_examples=20)
def test_gradients_are_those_of_one_document_at_a_time(arrays: list[Any], sizes: Any) -> None:
    model = model_of(**sizes)
    loader = ds.Loader(next_tokens(sequences(arrays), begin=BEGIN), ds.Packed(rows=1, steps=80))
    (batch,) = batches(loader)
    logits, _ = model(batch)
    nn.functional.cross_entropy(logits, next_of(batch), reduction="sum").backward()
    found = {name: each.grad for name, each in model.named_parameters()}
    plain = model_of(**sizes)
    lstm = nn.LSTM(sizes["embedding_size"], 4, sizes["num_layers"], batch_first=True).double()
    lstm.load_state_dict(plain.lstm.state_dict())
    expected_loss = torch.zeros((), dtype=torch.float64)
    for ids in arrays:
        output, _ = lstm(plain.embedding(torch.tensor([[BEGIN, *ids[:-1]]])))
        scores = plain.head(output)[0]
        expected_loss = expected_loss + nn.functional.cross_entropy(scores, torch.tensor(ids), reduction="sum")
    expected_loss.backward()
    expected = {name: each.grad for name, each in plain.named_parameters() if not name.startswith("lstm.")}
    expected |= {f"lstm.{name}": each.grad for name, each in lstm.named_parameters()}
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-9, atol=1e-12, msg=name)


@pytest.mark.parametrize("embedding_size", [4, 3])
def test_tied_weights_are_one_tensor_with_one_gradient(embedding_size: int) -> None:
    tied = model_of(embedding_size, tied=True)
    assert tied.is_tied
    assert not model_of(embedding_size).is_tied
    assert isinstance(tied.head, TiedHead)
    assert tied.head.weight is tied.embedding.weight
    assert isinstance(tied.head.narrowed, nn.Linear) == (embedding_size != 4)
    (batch,) = batches(ds.Loader(next_tokens(sequences([[2, 3, 2]]), begin=BEGIN), ds.Padded(1)))
    logits, _ = tied(batch)
    logits[:, 5].sum().backward()
    gradient = tied.embedding.weight.grad
    assert gradient is not None
    assert gradient[5].any(), "token 5 is scored, and never read"
    assert gradient[2].any(), "token 2 is read"
    assert len(list(tied.parameters())) == 6 + (embedding_size != 4)


def test_words_are_dropped_whole_and_the_mean_stays() -> None:
    model = LanguageModel(2000, 3, 4, dropout=LanguageDropout(embedding=0.25))
    model.train()
    vectors, whole = model._vectors()[1:], model.embedding.weight[1:]
    is_dropped = (vectors == 0).all(dim=1)
    torch.testing.assert_close(vectors[~is_dropped], whole[~is_dropped] / 0.75)
    assert 0.2 < is_dropped.double().mean() < 0.3
    model.eval()
    assert torch.equal(model._vectors()[1:], whole)


@pytest.mark.parametrize("dropout", ["outputs", "embedding", "variational", "weight"])
def test_dropout_acts_in_training_only(dropout: str) -> None:
    model, plain = model_of(num_layers=2, dropout=LanguageDropout(**{dropout: 0.5})), model_of(num_layers=2)
    (batch,) = batches(ds.Loader(next_tokens(sequences([[2, 3, 2]]), begin=BEGIN), ds.Padded(1)))
    assert not torch.equal(model(batch)[0], plain(batch)[0])
    assert torch.equal(model.eval()(batch)[0], plain(batch)[0])


@pytest.mark.parametrize("tied", [False, True])
def test_padding_has_no_vector_and_learns_none(tied: bool) -> None:
    model = model_of(tied=tied)
    (batch,) = batches(ds.Loader(next_tokens(sequences([[2, 3, 2], [4]]), begin=BEGIN), ds.Padded(2)))
    model(batch)[0].sum().backward()
    gradient = model.embedding.weight.grad
    assert gradient is not None
    assert not model.embedding.weight[0].any()
    assert not gradient[0].any()


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(ds.ShapeError, match="num_tokens must be a whole number of at least 2; got 1"):
        LanguageModel(1, 2, 3)
    with pytest.raises(ds.ShapeError, match="embedding dropout must lie between 0 and 1, and below 1; got 1.0"):
        LanguageModel(NUM_TOKENS, 2, 3, dropout=LanguageDropout(embedding=1.0))
    (batch,) = batches(ds.Loader(ds.Sequences.from_arrays({"ids": [[1.0, 2.0]]}), ds.Padded(1)))
    with pytest.raises(
        ds.ShapeError, match=r"field 'ids' must hold the id of a token a step; got torch.float64 \[1, 2\]"
    ):
        model_of()(batch)


def test_a_text_that_scores_nothing_is_named() -> None:
    lone = sequences([[2]]).ahead("ids", [1], "next")
    with pytest.raises(ds.DataError, match="no token is scored"):
        cost_of(model_of(), batches(ds.Loader(lone, ds.Padded(1))))


def test_the_cost_leaves_the_model_in_its_mode() -> None:
    model = model_of(dropout=LanguageDropout(outputs=0.5))
    loader = ds.Loader(next_tokens(sequences([[2, 3, 2]]), begin=BEGIN), ds.Padded(1))
    found = [cost_of(model.train(mode), batches(loader)).nats for mode in (True, False)]
    assert found[0] == found[1]
    assert not model.training
    cost_of(model.train(), batches(loader))
    assert model.training


def test_variational_dropout_follows_the_epoch_of_the_batch() -> None:
    model = model_of(dropout=LanguageDropout(variational=0.5, seed=3))
    loader = ds.Loader(next_tokens(sequences([[2, 3, 2, 4, 5]]), begin=BEGIN), ds.Padded(1))
    (first,), (second,) = batches(loader), batches(loader)
    assert (first.epoch, second.epoch) == (0, 1)
    assert torch.equal(model(first)[0], model(first)[0])
    assert not torch.equal(model(first)[0], model(second)[0])
