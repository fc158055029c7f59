"""Polyphonic music: what is played at the next step, of 88 keys; negative log-likelihood a step on the test part.

JSB chorales and Nottingham in the standard split (Boulanger-Lewandowski, Bengio and Vincent 2012), as piano rolls of 0 and 1.
The weights are those with the lowest loss on the validation part, and every setting was chosen by that loss; the test part
is read once, at the end.

python benchmarks/polyphonic.py --threads 1
python benchmarks/polyphonic.py --only jsb --seed 1 --json jsb.json
"""

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from common import arguments_of, markdown, where, write
from scipy.io import loadmat

import drystone as ds

PARTS = {"train": "traindata", "valid": "validdata", "test": "testdata"}
FILES: Mapping[str, str] = MappingProxyType({"jsb": "JSB_Chorales.mat", "nottingham": "Nottingham.mat"})
SETTINGS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "jsb": {"hidden_size": 200, "head_dropout": 0.5, "noise": 0.5, "epochs": 60, "batch_size": 4},
        "nottingham": {
            "hidden_size": 400,
            "head_dropout": 0.5,
            "noise": 0.3,
            "epochs": 60,
            "batch_size": 8,
        },
    }
)
HEADERS = ["data", "validation", "test", "frame accuracy", "seconds"]


def sequences_of(path: Path) -> ds.Sequences:
    """Returns all parts: `notes` uint8 [88] a step, and `part`."""
    content = loadmat(path)
    parts = {part: [piece.astype("uint8") for piece in content[name][0]] for part, name in PARTS.items()}
    names = [part for part, pieces in parts.items() for _ in pieces]
    return ds.Sequences.from_arrays(
        {"notes": [piece for pieces in parts.values() for piece in pieces]}, {"part": names}
    )


def result_of(seqs: ds.Sequences, settings: Mapping[str, Any], seed: int) -> dict[str, Any]:
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        run = ds.fit(
            seqs,
            target="notes",
            task="tag",
            ahead=1,
            split_column="part",
            layout="packed",
            seed=seed,
            progress=False,
            out=Path(folder) / "run",
            **settings,
        )
        records = run.metrics
    valid = [record["loss"] for record in records if record["part"] == "valid"]
    (test,) = (record for record in records if record["part"] == "test")
    return {
        "validation": min(valid),
        "best_epoch": valid.index(min(valid)) + 1,
        "test": test["loss"],
        "frame_accuracy": test["frame_accuracy"],
        "seconds": time.perf_counter() - started,
    }


def main() -> None:
    parser = arguments_of(__doc__, "polyphonic")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/polyphonic"), metavar="FOLDER")
    parser.add_argument("--only", choices=tuple(FILES), help="one of the two")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="default: as torch chooses")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    figures = {}
    for name in [arguments.only] if arguments.only else list(FILES):
        figures[name] = result_of(sequences_of(arguments.data / FILES[name]), SETTINGS[name], arguments.seed)
    lines = [
        [
            name,
            f"{found['validation']:.3f}",
            f"{found['test']:.3f}",
            f"{found['frame_accuracy']:.3f}",
            f"{found['seconds']:.0f}",
        ]
        for name, found in figures.items()
    ]
    print(markdown(HEADERS, lines))
    settings = {
        "seed": arguments.seed,
        "threads": arguments.threads,
        "settings": {name: dict(SETTINGS[name]) for name in figures},
    }
    write(arguments.json, {**where(("drystone", "numpy", "torch", "scipy")), **settings, "figures": figures})


if __name__ == "__main__":
    main()
