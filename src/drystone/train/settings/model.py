"""Settings of the model."""

from typing import Literal

from drystone.train.settings.setting import MODEL, SomeSettings, setting

Pooling = Literal["last", "mean", "max", "mean+max"]
Base = Literal["none", "last", "season"]


class ModelSettings(SomeSettings):
    """What is trained."""

    hidden_size: int = setting(128, MODEL, "units of a layer and direction", ge=1)
    num_layers: int = setting(1, MODEL, "LSTM layers", ge=1)
    bidirectional: bool | None = setting(None, MODEL, "whether a second LSTM reads backward")
    pooling: Pooling | None = setting(
        None, MODEL, "classify, regress, joint: how the outputs of a sequence become one: last, mean, max, mean+max"
    )
    base: Base | None = setting(
        None,
        MODEL,
        "forecast: the model learns differences to it: none, last (value), season (a value of the season before); the best by default",
        rare=True,
    )
    embedding_size: int | None = setting(
        None,
        MODEL,
        "numbers of a category's embedding; 0 for one-hot vectors; by default as many suit",
        rare=True,
        ge=0,
    )
    tied: bool | None = setting(
        None, MODEL, "language-model: whether tokens are scored by the vectors that they are read by", rare=True
    )
    variational_dropout: float = setting(
        0.0,
        MODEL,
        "fraction of the inputs of each layer dropped, in training: the same ones at all steps of a sequence",
        rare=True,
        ge=0,
        lt=1,
    )
    weight_dropout: float = setting(
        0.0, MODEL, "fraction of the recurrent weights dropped, in training", rare=True, ge=0, lt=1
    )
    embedding_dropout: float = setting(
        0.2, MODEL, "text: fraction of the numbers of its embeddings dropped, in training", rare=True, ge=0, lt=1
    )
    dropout: float = setting(0.2, MODEL, "fraction dropped between layers, in training", ge=0, lt=1)
    head_dropout: float | None = setting(
        None, MODEL, "fraction dropped before the head, in training", rare=True, ge=0, lt=1
    )
    noise: float | None = setting(
        None, MODEL, "standard deviation of noise on standardised inputs, in training", rare=True, ge=0
    )
