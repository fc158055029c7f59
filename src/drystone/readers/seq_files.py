"""Folders of three files with a line a sentence: its words in seq.in, a tag for each in seq.out, its class in label.

The format of the Slot-Gated models (Goo et al. 2018), and of many data sets of intents and slots.
"""

from itertools import chain
from pathlib import Path

import numpy as np

from drystone.core import build
from drystone.core.errors import DataError
from drystone.core.lengths import offsets_of
from drystone.core.origin import Origin
from drystone.core.sequences import Sequences
from drystone.readers.keys import with_keys
from drystone.readers.options import Options
from drystone.readers.text import lines_of, text_of
from drystone.readers.words import as_strings

WORDS, TAGS, LABELS = "seq.in", "seq.out", "label"


def is_of_seq_files(folder: Path) -> bool:
    """Whether a folder holds words in such a file."""
    return (folder / WORDS).is_file()


def read_seq_files(folder: Path, options: Options) -> Sequences:
    """Reads a sentence a sequence: `word` and `tag` a step, `label` a sequence; tags and labels where they are there.

    Args:
        folder: with the files.
        options: with the encoding.

    Raises:
        DataError: files of unequal numbers of lines; a line of unequal numbers of words and tags, or without a label.
    """
    lines = {name: _lines(folder, name, options) for name in (WORDS, TAGS, LABELS) if (folder / name).is_file()}
    for name, others in lines.items():
        if len(others) != len(lines[WORDS]):
            raise DataError(
                f"{WORDS} has {len(lines[WORDS])} lines and {name} {len(others)}; expected one a sentence in each."
            )
    words = [line.split() for line in lines[WORDS]]
    per_step = {"word": as_strings(chain.from_iterable(words))}
    if TAGS in lines:
        tags = [line.split() for line in lines[TAGS]]
        _check_equal(words, tags)
        per_step["tag"] = as_strings(chain.from_iterable(tags))
    per_sequence = {LABELS: as_strings(_labels(lines[LABELS], words))} if LABELS in lines else {}
    bounds = offsets_of(np.array([len(sentence) for sentence in words], np.int64))
    parts = build.parts_from_ragged(bounds, per_step, per_sequence)
    origin = Origin(name=WORDS, unit="line", first=1)
    return with_keys(Sequences.from_parts(parts, options.on_empty, origin=origin), options)


def _lines(folder: Path, name: str, options: Options) -> list[bytes]:
    return lines_of(text_of(folder / name, options.encoding))


def _check_equal(words: list[list[bytes]], tags: list[list[bytes]]) -> None:
    for number, (sentence, its_tags) in enumerate(zip(words, tags, strict=True), start=1):
        if len(sentence) != len(its_tags):
            raise DataError(
                f"line {number} of {WORDS} holds {len(sentence)} words, and line {number} of {TAGS} {len(its_tags)} tags; "
                f"each word needs one tag."
            )


def _labels(lines: list[bytes], words: list[list[bytes]]) -> list[bytes]:
    found = [line.strip() for line in lines]
    for number, (label, sentence) in enumerate(zip(found, words, strict=True), start=1):
        if sentence and not label:
            raise DataError(f"line {number} of {LABELS} is blank; every sentence needs a label.")
    return found
