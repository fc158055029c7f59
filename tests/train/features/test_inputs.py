"""What an LSTM reads of features."""

from math import cos, pi, sin

import pytest
import torch

from drystone.text import Vocabulary
from drystone.train.features.feature import Feature, Features
from drystone.train.features.inputs import Embedded, InputLayer

NAN = float("nan")
GAPS = Feature(name="x", shape=(2,), missing="indicator", marks_missing=True)
KIND = Feature(name="kind", kind="category", categories=("a", "b"))
HOUR = Feature(name="hour of t", kind="calendar", part="hour", source="t")


def read(features: tuple[Feature, ...], x: list[float], embedding_size: int | None = None) -> list[float]:
    layer = InputLayer(Features(features), embedding_size)
    raw = torch.tensor(x, dtype=torch.float64)[None, None]
    found = layer(raw, raw.float() * 10)
    assert found.shape == (1, 1, layer.width)
    assert found.dtype == torch.float32
    return found[0, 0].tolist()


def test_numbers_of_which_none_misses_are_read_as_they_are() -> None:
    assert read((Feature(name="x"), Feature(name="y")), [1.0, 2.0]) == [10.0, 20.0]


def test_what_misses_is_the_mean_and_marked() -> None:
    assert read((GAPS,), [NAN, 2.0]) == [0.0, 20.0, 1.0, 0.0]


def test_what_is_not_marked_is_the_mean() -> None:
    assert read((Feature(name="x", missing="ffill"),), [NAN]) == [0.0]


@pytest.mark.parametrize(("code", "expected"), [(1.0, [1, 0]), (2.0, [0, 1]), (0.0, [0, 0])])
def test_categories_are_one_hot_and_the_unknown_one_is_nothing(code: float, expected: list[float]) -> None:
    assert read((KIND,), [code]) == expected


@pytest.mark.parametrize("anything", [NAN, float("inf"), -1.0, 3.0, 1e300])
def test_invalid_cells_may_hold_anything(anything: float) -> None:
    assert read((KIND,), [anything]) == [0, 0]


def test_hours_come_round() -> None:
    assert read((HOUR,), [6.0]) == pytest.approx([sin(pi / 2), cos(pi / 2)], abs=1e-7)
    assert read((HOUR,), [24.0]) == pytest.approx(read((HOUR,), [0.0]), abs=1e-7)


def test_several_steps_ahead_are_read_side_by_side() -> None:
    ahead = Feature(name="kind ahead", shape=(2,), kind="category", categories=("a", "b"), ahead=2, of="kind")
    assert read((KIND, ahead), [1.0, 2.0, 1.0]) == [1, 0, 0, 1, 1, 0]


def test_many_categories_are_embedded_and_the_unknown_one_stays_nothing() -> None:
    many = Feature(name="kind", kind="category", categories=tuple(range(100)))
    layer = InputLayer(Features((many,)), None)
    reader = layer.readers[0]
    assert isinstance(reader, Embedded)
    assert layer.width == 22  # 1.6 × 100^0.56 = 21.1
    codes = torch.tensor([0.0, 7.0], dtype=torch.float64)[None, :, None]
    layer(codes, codes.float()).square().sum().backward()
    gradient = reader.vectors.weight.grad
    assert gradient is not None
    assert gradient.abs().sum(dim=1).nonzero().flatten().tolist() == [7]
    assert read((many,), [0.0]) == [0.0] * 22
    assert InputLayer(Features((many,)), 3).width == 3
    assert InputLayer(Features((many,)), 0).width == 100


WORD = Feature(name="word", kind="tokens", vocabulary=Vocabulary.train(["a", "b", "c"], kind="given"))


@pytest.mark.parametrize("feature", [KIND, WORD], ids=lambda feature: feature.name)
def test_vectors_looked_up_are_those_that_are_read_and_learn_as_much(feature: Feature) -> None:
    layer = InputLayer(Features((feature,)), 3)
    x = torch.tensor([[0.0, 1.0, 2.0, 99.0, 2.0, 1.0, 2.0]], dtype=torch.float64)[..., None]
    read, looked_up = layer(x, x.float()), layer.looked_up(x)
    assert looked_up is not None
    ids, vectors = looked_up
    weight = torch.randn(read.shape)
    (again,) = torch.autograd.grad((vectors[ids] * weight).sum(), layer.parameters())
    (expected,) = torch.autograd.grad((read * weight).sum(), layer.parameters())
    torch.testing.assert_close(vectors[ids], read, rtol=0, atol=0)
    torch.testing.assert_close(again, expected)
    assert expected[0].eq(0).all()


def test_nothing_is_looked_up_where_single_numbers_are_dropped_or_more_is_read() -> None:
    x = torch.ones(1, 9, 1, dtype=torch.float64)
    dropped = InputLayer(Features((WORD,)), 3, embedding_dropout=0.5)
    assert dropped.looked_up(x) is None
    assert dropped.eval().looked_up(x) is not None
    assert dropped.looked_up(x[:, :5]) is None, "five vectors are no fewer than five steps"
    assert InputLayer(Features((WORD, Feature(name="y"))), 3).looked_up(x.expand(1, 9, 2)) is None
    assert InputLayer(Features((KIND,)), 0).looked_up(x) is None
