"""Cross-validates settings inside the training part of a built-in data set; the test part is never looked at.

    python scripts/cross_validate.py noise=1.25
    python scripts/cross_validate.py --seeds 2 --protocols block low3 noise=1.25 hidden_size=64 pooling=mean

Each line is a configuration: accuracy and loss on the sequences held out, over all folds and seeds. The protocols:

    kfold   five random folds, stratified
    block   five folds of neighbouring recordings of each class, held out together
    low3    trained on one third of each class, neighbouring recordings, tested on the rest; three times the epochs
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import drystone as ds
from drystone.core.shuffle import permutation
from drystone.readers.find import built_in_of
from drystone.train import fit

Ints = np.ndarray[Any, np.dtype[np.int64]]
FOLDS = {"kfold": 5, "block": 5, "low3": 3}


def folds_of(protocol: str, labels: np.ndarray[Any, Any], seed: int) -> Ints:
    """Returns the fold of each sequence: equal shares of every class."""
    count = FOLDS[protocol]
    order = permutation(len(labels), seed, 0, 0) if protocol == "kfold" else np.arange(len(labels))
    folds = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        members = order[labels[order] == label]
        folds[members] = np.arange(len(members)) * count // len(members)
    return folds


def held_out(
    protocol: str, seqs: ds.Sequences, target: str, seed: int, settings: dict[str, Any]
) -> tuple[float, float]:
    """Returns accuracy and mean loss over all sequences, each predicted by models that did not see it."""
    labels = seqs.field(target).values
    folds = folds_of(protocol, labels, seed)
    correct = loss = count = 0.0
    if protocol == "low3":
        settings = settings | {"epochs": 3 * settings.get("epochs", 100)}
    for fold in range(FOLDS[protocol]):
        in_fold = folds == fold
        part = np.where(in_fold == (protocol == "low3"), "train", "test")
        parts = {"x": [found["x"] for found in seqs]}
        data = ds.Sequences.from_arrays(parts, {target: labels, "fold": part})
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "run"
            run = fit(data, target, split_column="fold", seed=seed, out=out, progress=False, **settings)
            scores = run.metrics[-1]
        correct += scores["accuracy"] * scores["sequences"]
        loss += scores["loss"] * scores["sequences"]
        count += scores["sequences"]
    return correct / count, loss / count


def number_or_text(words: str) -> Any:
    for kind in (int, float):
        try:
            return kind(words)
        except ValueError:
            pass
    return {"true": True, "false": False}.get(words, words)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("settings", nargs="*", help="such as noise=1.25 hidden_size=64")
    parser.add_argument("--data", default="japanese-vowels")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--protocols", nargs="+", default=list(FOLDS), choices=list(FOLDS))
    arguments = parser.parse_args()
    record = built_in_of(arguments.data)
    if record is None:
        parser.error(f"{arguments.data} is no built-in data set")
    whole = ds.read(arguments.data)
    train = whole.select(np.flatnonzero(whole.field(record.split_column).values == "train"))
    settings = {name: number_or_text(words) for name, words in (pair.split("=") for pair in arguments.settings)}
    shown = " ".join(arguments.settings) or "(defaults)"
    for protocol in arguments.protocols:
        results = [held_out(protocol, train, record.target, seed, settings) for seed in range(arguments.seeds)]
        accuracy, loss = np.array(results).T
        print(
            f"{shown:44} {protocol:6} accuracy {100 * accuracy.mean():.2f} ± {100 * accuracy.std():.2f}"
            f"  loss {loss.mean():.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
