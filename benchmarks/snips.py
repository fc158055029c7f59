"""SNIPS: the intent of a command and the slots of its words, by one model; and what unknown words cost.

Words and tags as they come, without pretrained vectors. The weights are those with the highest slot F1 on the validation
part, by which every setting was chosen; the test part is read once, at the end. The second table makes a share of the test
words unknown, and holds the unknown word that was learned against one that shares its id with padding: a mask then takes the
word away, its tag is O, and the state never sees it.

OMP_NUM_THREADS=1 python benchmarks/snips.py
OMP_NUM_THREADS=1 python benchmarks/snips.py --seeds 1 --unknown 0.4
"""

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import mean
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from common import arguments_of, markdown, where, write

import drystone as ds
from drystone.text.chunks import chunks_of, counts_of
from drystone.train import Run

SETTINGS: Mapping[str, Any] = MappingProxyType(
    {
        "text": "word",
        "spelling": True,
        "hidden_size": 200,
        "embedding_size": 200,
        "embedding_dropout": 0.4,
        "learning_rate": 0.003,
        "epochs": 8,
        "monitor": "chunk_f1",
    }
)
UNSEEN = "\N{REPLACEMENT CHARACTER}"  # no word of the data


def trained(parts: Mapping[str, ds.Sequences], folder: str, **settings: Any) -> Run:
    return ds.fit(
        parts["train"],
        "label,tag",
        valid=parts["valid"],
        test=parts["test"],
        out=Path(folder) / "run",
        progress=False,
        **{**SETTINGS, **settings},
    )


def with_unknown(seqs: ds.Sequences, share: float, seed: int) -> ds.Sequences:
    """Returns sequences of which a share of the words is one that training never saw."""
    rng = np.random.default_rng(seed)
    words = [np.where(rng.random(len(each["word"])) < share, UNSEEN, each["word"]).astype(object) for each in seqs]
    tags = [each["tag"] for each in seqs]
    return ds.Sequences.from_arrays({"word": words, "tag": tags}, {"label": seqs.field("label").values})


def figures_if_masked(run: Run, seqs: ds.Sequences) -> tuple[float, float]:
    """Returns intent accuracy and slot F1 where unknown words are masked away, as padding is."""
    vocabulary = run.schema.features.vocabulary
    assert vocabulary is not None
    known = [np.isin(vocabulary.ids_of(each["word"]), (0, 1), invert=True) for each in seqs]
    left = [each["word"][is_known] for each, is_known in zip(seqs, known, strict=True)]
    some = np.array([len(words) > 0 for words in left])
    said = run.predict(ds.Sequences.from_arrays({"word": [words for words in left if len(words)]}))
    labels = np.full(len(seqs), "", dtype=object)
    labels[some] = said["prediction"].to_pylist()
    tags = [np.full(len(is_known), "O", dtype=object) for is_known in known]
    for number, found in zip(np.flatnonzero(some), said["tag"].to_pylist(), strict=True):
        tags[number][known[number]] = found
    chunks = [chunks_of(np.concatenate(each), seqs.lengths) for each in (tags, [one["tag"] for one in seqs])]
    return float((labels == seqs.field("label").values).mean()), counts_of(*chunks).f1


def result_of(parts: Mapping[str, ds.Sequences], seed: int, share: float) -> dict[str, Any]:
    started = time.perf_counter()
    changed = with_unknown(parts["test"], share, seed)
    with tempfile.TemporaryDirectory() as folder:
        run = trained(parts, folder, seed=seed)
        seconds = time.perf_counter() - started
        test, unknown = run.evaluate(parts["test"]), run.evaluate(changed)
    with tempfile.TemporaryDirectory() as folder:
        plain = trained(parts, folder, seed=seed, unknown_rate=0.0, spelling=False)
        never_learned, masked = plain.evaluate(changed), figures_if_masked(plain, changed)
    with tempfile.TemporaryDirectory() as folder:
        learned = trained(parts, folder, seed=seed, spelling=False).evaluate(changed)
    return {
        "test": [test.accuracy, test.chunk_f1],
        "seconds": seconds,
        "learned, with spelling": [unknown.accuracy, unknown.chunk_f1],
        "learned": [learned.accuracy, learned.chunk_f1],
        "never learned": [never_learned.accuracy, never_learned.chunk_f1],
        "the same as padding": list(masked),
    }


def main() -> None:
    parser = arguments_of(__doc__, "snips")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/snips"), metavar="FOLDER")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--unknown", type=float, default=0.2, metavar="SHARE", help="of the test words")
    arguments = parser.parse_args()
    parts = {part: ds.read(arguments.data / part) for part in ("train", "valid", "test")}
    results = []
    for seed in range(arguments.seed, arguments.seed + arguments.seeds):
        results.append(result_of(parts, seed, arguments.unknown))
        accuracy, f1 = results[-1]["test"]
        print(f"seed {seed}: intent {accuracy:.4f}, slot F1 {f1:.4f}, {results[-1]['seconds']:.0f} s", flush=True)
    names = [name for name in results[0] if name != "seconds"]
    means = {name: [mean(found[name][at] for found in results) for at in (0, 1)] for name in names}
    lines = [[name, *(f"{100 * value:.1f}" for value in values)] for name, values in means.items()]
    print(markdown([f"unknown word ({arguments.unknown:.0%} of test words)", "intent", "slot F1"], lines))
    settings = {"settings": dict(SETTINGS), "threads": torch.get_num_threads(), "unknown": arguments.unknown}
    write(
        arguments.json,
        {**where(("drystone", "numpy", "torch", "tokenizers")), **settings, "means": means, "runs": results},
    )


if __name__ == "__main__":
    main()
