"""Makes the built-in data set of two .ts files: python scripts/make_japanese_vowels.py FOLDER_OF_TS_FILES."""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from drystone import datasets
from drystone.readers import read

PARTS = {"train": "JapaneseVowels_TRAIN.ts", "test": "JapaneseVowels_TEST.ts"}


def part_of(path: Path, part: str) -> pa.Table:
    """Returns one .ts file as a table of one utterance a row."""
    seqs = read(path)
    steps = pa.array(seqs.field("x").values.astype(np.float32).reshape(-1))
    offsets = pa.array(np.append(0, np.cumsum(seqs.lengths)), type=pa.int32())
    columns = {
        "x": pa.ListArray.from_arrays(offsets, pa.FixedSizeListArray.from_arrays(steps, 12)),
        "speaker": pa.array(seqs.field("y").values, type=pa.string()),
        "part": pa.array([part] * len(seqs), type=pa.string()),
    }
    return pa.table(columns)


def main(folder: Path) -> None:
    """Writes the data set where `drystone.datasets` looks for it."""
    table = pa.concat_tables([part_of(folder / name, part) for part, name in PARTS.items()]).combine_chunks()
    target = datasets.path("japanese-vowels")
    # Noisy floats hardly repeat: splitting them into byte streams compresses them, a dictionary does not.
    pq.write_table(
        table,
        target,
        compression="zstd",
        compression_level=19,
        use_dictionary=["speaker", "part"],
        use_byte_stream_split=["x.list.element.list.element"],
        write_statistics=False,
    )
    print(f"{target}: {table.num_rows} utterances, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
