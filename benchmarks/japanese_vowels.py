"""Test accuracy of the speaker classifier on Japanese vowels, over several seeds, with the settings of `drystone fit`.

python benchmarks/japanese_vowels.py
python benchmarks/japanese_vowels.py --seeds 5 --out benchmarks/results/japanese_vowels.json
"""

import argparse
import json
import platform
import tempfile
import time
from datetime import date
from pathlib import Path
from statistics import mean

import torch

import drystone as ds
from drystone import datasets

NAME = "japanese-vowels"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    record, seqs = datasets.find(NAME), ds.read(NAME)
    accuracies, seconds = [], []
    for seed in range(arguments.seeds):
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            run = ds.fit(
                seqs,
                target=record.target,
                split_column=record.split_column,
                seed=seed,
                out=Path(folder) / "run",
                progress=False,
                **record.settings,
            )
            seconds.append(time.perf_counter() - started)
            accuracies.append(run.metrics[-1]["accuracy"])
        print(f"seed {seed}  test accuracy {accuracies[-1]:.4f}  {seconds[-1]:.1f} s", flush=True)
    print(f"mean    test accuracy {mean(accuracies):.4f}")
    if arguments.out is not None:
        where = {"torch": torch.__version__, "threads": torch.get_num_threads(), "machine": platform.machine()}
        found = {"test_accuracy": accuracies, "mean": mean(accuracies), "seconds": seconds}
        arguments.out.write_text(json.dumps({"date": date.today().isoformat(), **where, **found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
