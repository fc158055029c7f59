"""Text that goes on, against the whole text run again for every token."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import drystone as ds
from drystone.torch.language import LanguageDropout, Sampling, draw, generate
from tests.torch.language.texts import BEGIN, NUM_TOKENS, model_of


class Counting:
    """A model that remembers how many steps each call ran."""

    def __init__(self, **settings: Any) -> None:
        self.model, self.steps = model_of(**settings).eval(), []

    def advance(self, ids: torch.Tensor, state: Any = None) -> Any:
        self.steps.append(ids.shape[1])
        return self.model.advance(ids, state)


@given(
    prompt=st.lists(st.integers(1, BEGIN), min_size=1, max_size=5),
    num_tokens=st.integers(0, 6),
    temperature=st.sampled_from([0.0, 1.0]),
    num_layers=st.integers(1, 2),
)
@settings(max_examples=25)
def test_step_by_step_is_the_whole_text_again(
    prompt: list[int], num_tokens: int, temperature: float, num_layers: int
) -> None:
    model, sampling = model_of(num_layers=num_layers).eval(), Sampling(temperature=temperature)
    generator, text = torch.Generator().manual_seed(5), list(prompt)
    for _ in range(num_tokens):
        logits, _ = model.advance(torch.tensor([text]))
        text.append(int(draw(logits, sampling, generator)))
    assert list(generate(model, prompt, num_tokens, sampling=sampling, seed=5)) == text[len(prompt) :]


def test_a_token_costs_one_step_however_long_the_text_is() -> None:
    counting = Counting()
    assert len(list(generate(counting, [BEGIN, 2, 3], 50, seed=0))) == 50
    assert counting.steps == [3] + [1] * 49


def test_each_token_comes_as_soon_as_it_is_drawn() -> None:
    counting = Counting()
    tokens = generate(counting, [BEGIN], 9, seed=0)
    assert counting.steps == []
    next(tokens), next(tokens)
    assert counting.steps == [1, 1]


def test_advancing_by_parts_is_advancing_at_once() -> None:
    model = model_of(num_layers=2).eval()
    ids = torch.tensor([[1, 2, 3, 4, 5], [5, 4, 3, 2, 1]])
    whole, state = model.advance(ids)
    _, before = model.advance(ids[:, :2])
    parts, after = model.advance(ids[:, 2:], before)
    torch.testing.assert_close(parts, whole, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(after, state, rtol=1e-12, atol=1e-14)


def test_a_token_that_stops_the_text_is_not_returned() -> None:
    model = model_of().eval()
    whole = list(generate(model, [BEGIN], 200, seed=1))
    stop = whole[7]
    assert list(generate(model, [BEGIN], 200, seed=1, stop=[stop])) == whole[: whole.index(stop)]


def test_a_model_in_training_draws_without_dropout_and_stays_in_training() -> None:
    model = model_of(dropout=LanguageDropout(outputs=0.9, embedding=0.5))
    expected = list(generate(model.eval(), [BEGIN], 30, seed=1))
    tokens = generate(model.train(), [BEGIN], 30, seed=1)
    found = [next(tokens)]
    assert model.training
    assert [*found, *tokens] == expected
    assert max(found) < NUM_TOKENS


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(ds.ConfigError, match="the prompt holds no token"):
        generate(model_of(), [], 3)
    with pytest.raises(ds.ConfigError, match="num_tokens must be at least 0; got -1"):
        generate(model_of(), [2], -1)
