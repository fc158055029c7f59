"""All random numbers that training may draw: of PyTorch on every device, of NumPy, of Python."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def random_state() -> dict[str, Any]:
    """Returns the states of all generators."""
    _, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002  (the one that people's models use)
    return {
        "torch": torch.random.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],
        "numpy": [torch.from_numpy(np.array(keys, np.int64)), position, has_gauss, gauss],
        "python": random.getstate(),
    }


def set_random_state(state: dict[str, Any]) -> None:
    """Sets all generators to what `random_state` returned; GPUs that are not here are left out."""
    torch.random.set_rng_state(state["torch"])
    for number, cuda in enumerate(state["cuda"][: torch.cuda.device_count()]):
        torch.cuda.set_rng_state(cuda, number)
    keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state(("MT19937", keys.numpy().astype(np.uint32), position, has_gauss, gauss))  # noqa: NPY002
    random.setstate(state["python"])


def seed_rank(seed: int, rank: int) -> None:
    """Starts all generators of a rank from a seed, each rank with numbers of its own."""
    seed_all(int(np.random.SeedSequence([seed, rank]).generate_state(1, np.uint64)[0] >> 1))


@contextmanager
def kept_randomness() -> Iterator[None]:
    """Leaves the random numbers of the user as they were, whatever is drawn inside."""
    before = random_state()
    try:
        yield
    finally:
        set_random_state(before)


def seed_all(seed: int) -> None:
    """Starts all generators from a seed."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    random.seed(seed)
