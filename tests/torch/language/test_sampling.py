"""From scores to tokens, against plain loops."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

import drystone as ds
from drystone.torch.language import Sampling, draw, probabilities

scores = st.lists(st.sampled_from([-3.0, -1.0, 0.0, 0.5, 0.5, 2.0, 4.0]), min_size=2, max_size=8)


def by_loop(logits: list[float], sampling: Sampling) -> list[float]:
    """The same, one token after the other."""
    left = [number for number in range(len(logits)) if number not in sampling.never]
    left.sort(key=lambda number: (-logits[number], number))
    weight = {number: np.exp((logits[number] - logits[left[0]]) / sampling.temperature) for number in left}
    if sampling.top_k is not None:
        left = left[: sampling.top_k]
    total = sum(weight[number] for number in left)
    kept, so_far = [], 0.0
    for number in left:
        if kept and sampling.top_p < 1.0 and so_far >= sampling.top_p:  # sums of shares round to 1 too early
            break
        kept.append(number)
        so_far += weight[number] / total
    total = sum(weight[number] for number in kept)
    return [weight[number] / total if number in kept else 0.0 for number in range(len(logits))]


@example(logits=[-3.0, 0.0], temperature=0.0625, top_k=None, top_p=1.0, never=())
@given(
    logits=scores,
    temperature=st.floats(0.05, 5.0),
    top_k=st.none() | st.integers(1, 9),
    top_p=st.sampled_from([1e-9, 0.123, 0.377, 0.619, 0.871, 1.0]),
    never=st.sampled_from([(), (0,), (1,)]),
)
def test_probabilities_are_those_of_a_plain_loop(
    logits: list[float], temperature: float, top_k: int | None, top_p: float, never: tuple[int, ...]
) -> None:
    sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p, never=never)
    found = probabilities(torch.tensor([logits, logits[::-1]], dtype=torch.float64), sampling)
    np.testing.assert_allclose(found[0], by_loop(logits, sampling), rtol=1e-12)
    np.testing.assert_allclose(found[1], by_loop(logits[::-1], sampling), rtol=1e-12)


@given(logits=scores)
def test_without_limits_it_is_the_softmax(logits: list[float]) -> None:
    values = torch.tensor([logits], dtype=torch.float64)
    torch.testing.assert_close(probabilities(values, Sampling(never=())), values.softmax(1))


@given(logits=scores, temperature=st.sampled_from([0.0, 1e-300]))
def test_at_temperature_0_the_likeliest_comes(logits: list[float], temperature: float) -> None:
    values, sampling = torch.tensor([logits]), Sampling(temperature=temperature, top_k=1)
    assert probabilities(values, sampling)[0].argmax() == draw(values, sampling)[0] == 1 + np.argmax(logits[1:])


def test_tokens_come_as_often_as_they_should() -> None:
    logits, sampling = torch.tensor([[0.0, 1.0, 2.0, 3.0]]), Sampling(temperature=2.0, top_p=0.9)
    drawn = draw(logits.expand(20_000, -1), sampling, torch.Generator().manual_seed(1))
    shares = torch.bincount(drawn, minlength=4) / len(drawn)
    torch.testing.assert_close(shares.double(), probabilities(logits, sampling)[0], rtol=0, atol=0.01)


def test_the_same_seed_draws_the_same() -> None:
    logits = torch.zeros(50, 9)
    one, same, other = (draw(logits, Sampling(), torch.Generator().manual_seed(seed)) for seed in (3, 3, 4))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert one.min() > 0, "padding never comes"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"temperature": -1.0}, "temperature must be a number ≥ 0; got -1.0"),
        ({"temperature": float("nan")}, "temperature must be a number ≥ 0; got nan"),
        ({"top_k": 0}, "top_k must be a whole number ≥ 1, or None for all tokens; got 0"),
        ({"top_p": 0.0}, r"top_p must lie in more than 0 … 1; got 0.0"),
        ({"top_p": 1.5}, r"top_p must lie in more than 0 … 1; got 1.5"),
    ],
)
def test_settings_out_of_range_are_named(settings: dict[str, float], said: str) -> None:
    with pytest.raises(ds.ConfigError, match=said):
        Sampling(**settings)  # pyright: ignore[reportArgumentType]


def test_what_cannot_be_drawn_is_named() -> None:
    with pytest.raises(ds.NotFiniteError, match="scores of tokens are NaN"):
        draw(torch.tensor([[0.0, float("nan")]]), Sampling(temperature=0.0))
    with pytest.raises(ds.ConfigError, match="never names the id 5; ids lie in 0 … 1"):
        draw(torch.zeros(1, 2), Sampling(never=(5,)))
    with pytest.raises(ds.ConfigError, match="no token is left that may come"):
        draw(torch.zeros(1, 2), Sampling(never=(0, 1)))
