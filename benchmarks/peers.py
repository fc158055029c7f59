"""How others choose the sequences of a batch, called as their own documents say; each imports its package when called.

The source package of fairseq 0.12.2 lacks a C++ file, so the whole of it does not build. Its planner is one Cython
file that does (`pip download --no-deps --no-build-isolation --no-binary :all: fairseq==0.12.2`, unpacked):

    cd fairseq-0.12.2/fairseq/data && cython --cplus -3 data_utils_fast.pyx
    g++ -O3 -shared -fPIC $(python3-config --includes) data_utils_fast.cpp \
        -I$(python -c 'import numpy; print(numpy.get_include())') -o data_utils_fast$(python3-config --extension-suffix)

and is found with `PYTHONPATH=fairseq-0.12.2`.
"""

import warnings
from collections.abc import Iterable, Iterator
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
from common import Ints

PACKAGES = ("lhotse", "tensorflow-cpu", "transformers", "torch")


def lhotse_cuts(lengths: Ints) -> Any:
    """Returns cuts in memory, a second a step."""
    from lhotse import CutSet, MonoCut

    return CutSet.from_cuts(
        MonoCut(id=str(number), start=0, duration=float(length), channel=0)
        for number, length in enumerate(lengths.tolist())
    )


def lhotse_batches(cuts: Any, cells: int, num_buckets: int, seed: int) -> Iterable[Any]:
    """Returns Lhotse's sampler, with a budget of cells that counts padding, and its default buffer."""
    from lhotse.dataset import DynamicBucketingSampler

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it advises cuts read from files, which would be slower still
        return DynamicBucketingSampler(
            cuts, max_duration=cells, num_buckets=num_buckets, shuffle=True, seed=seed, world_size=1, rank=0
        )


def fairseq_version() -> str:
    try:
        return Path(_fairseq_file().parents[1], "version.txt").read_text().strip()
    except ModuleNotFoundError:
        return "not installed"


def fairseq_kernel() -> Any:
    """Returns the compiled part of fairseq's `batch_by_size(indices, num_tokens, max_tokens, max_sentences, multiple)`.

    It is `batch_by_size_vec` where the numbers of tokens are an array, and `batch_by_size_fn` where a function gives
    them. It is loaded by its path, since the rest of the package need not work.
    """
    spec = spec_from_file_location("data_utils_fast", _fairseq_file())
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _fairseq_file() -> Path:
    found = find_spec("fairseq")
    folders = found.submodule_search_locations if found is not None else None
    for file in (file for folder in folders or () for file in Path(folder, "data").glob("data_utils_fast*.so")):
        return file
    raise ModuleNotFoundError("fairseq's data_utils_fast is not built")


def fairseq_batches(lengths: Ints, cells: int, seed: int) -> list[Ints]:
    """Returns an epoch of fairseq: a random order, sorted by length, cut by a budget of cells, batches shuffled."""
    kernel = fairseq_kernel()
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(lengths))
    order = order[np.argsort(lengths[order], kind="mergesort")]
    batches = kernel.batch_by_size_vec(order, lengths[order], cells, -1, 1)
    rng.shuffle(batches)
    return batches


def transformers_order(lengths: list[int], batch_size: int, seed: int) -> list[int]:
    """Returns an epoch of Hugging Face's `group_by_length`, as numbers of sequences in order."""
    import torch
    from transformers.trainer_pt_utils import LengthGroupedSampler

    generator = torch.Generator().manual_seed(seed)
    return list(LengthGroupedSampler(batch_size, lengths=lengths, generator=generator))


def torch_batches(count: int, batch_size: int, seed: int) -> list[list[int]]:
    """Returns an epoch of PyTorch's DataLoader with shuffle=True, as numbers of sequences."""
    import torch
    from torch.utils.data import BatchSampler, RandomSampler

    generator = torch.Generator().manual_seed(seed)
    sampler = RandomSampler(range(count), generator=generator)
    return list(BatchSampler(sampler, batch_size, drop_last=False))


def tensorflow_lengths(lengths: Ints, boundaries: tuple[int, ...], batch_size: int, seed: int) -> Iterator[Ints]:
    """Gives the lengths of each batch of tf.data's `bucket_by_sequence_length`, of shuffled sequences."""
    import tensorflow as tf

    numbers = tf.data.Dataset.from_tensor_slices(lengths).shuffle(len(lengths), seed=seed)
    batches = numbers.map(lambda length: tf.fill([length], length)).bucket_by_sequence_length(
        lambda steps: tf.shape(steps)[0], [upto + 1 for upto in boundaries], [batch_size] * (len(boundaries) + 1)
    )
    for batch in batches.as_numpy_iterator():
        yield batch[:, 0]


def batches_of(order: list[int], batch_size: int) -> list[list[int]]:
    """Cuts an order into batches."""
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
