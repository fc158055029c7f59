"""The sequences of other tests of ranks, in several files."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.train.ranks import runs


def write_shards(folder: Path, count: int = 3) -> None:
    seqs = runs.series()
    folder.mkdir()
    for number in range(count):
        part = seqs[number::count]
        rows = [{"x": each["x"].tolist(), "tag": each["tag"].tolist(), "y": each["y"]} for each in part]
        pq.write_table(pa.Table.from_pylist(rows), folder / f"part-{number}.parquet")
