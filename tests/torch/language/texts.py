"""Documents and models of small sizes."""

from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st

import drystone as ds
from drystone.torch.language import LanguageModel

NUM_TOKENS, BEGIN = 7, 6

documents = st.lists(st.lists(st.integers(1, BEGIN - 1), min_size=1, max_size=9).map(np.array), min_size=1, max_size=7)
"""Lists of ids, one a document."""

layouts = st.one_of(
    st.builds(ds.Stateful, rows=st.integers(1, 4), steps=st.integers(1, 6)),
    st.builds(ds.Padded, st.integers(1, 4)),
    st.builds(ds.Packed, rows=st.integers(1, 3), steps=st.integers(10, 14)),
)


def sequences(arrays: list[Any]) -> ds.Sequences:
    return ds.Sequences.from_arrays({"ids": arrays})


def model_of(embedding_size: int = 3, hidden_size: int = 4, **settings: Any) -> LanguageModel:
    torch.manual_seed(0)
    return LanguageModel(NUM_TOKENS, embedding_size, hidden_size, **settings).double()
