"""Lengths of the sequences of real data sets, those of the training parts."""

from pathlib import Path

import numpy as np
from common import Ints

import drystone


def snips(folder: Path) -> Ints:
    lines = (folder / "snips" / "train" / "seq.in").read_text(encoding="utf-8").splitlines()
    return np.array([len(line.split()) for line in lines], dtype=np.int64)


def nottingham(folder: Path) -> Ints:
    from scipy.io import loadmat

    songs = loadmat(str(folder / "polyphonic" / "Nottingham.mat"))["traindata"][0]
    return np.array([len(song) for song in songs], dtype=np.int64)


def japanese_vowels(folder: Path) -> Ints:
    return drystone.read(folder / "japanese_vowels" / "JapaneseVowels_TRAIN.ts").lengths


DATA = {"SNIPS": snips, "Nottingham": nottingham, "Japanese vowels": japanese_vowels}


def all_lengths(folder: Path) -> dict[str, Ints]:
    """Returns the lengths of every data set there is, and names those that there are not."""
    found: dict[str, Ints] = {}
    for name, read in DATA.items():
        try:
            found[name] = read(folder)
        except (OSError, ImportError, drystone.DataError) as error:
            print(f"{name} is left out: {error}")
    return found
