"""Data several times larger than a bound, read, planned, gathered and trained on within the bound.

Counted is anonymous memory, which the system cannot take back: pages of mapped files it can.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

MEBI = 1 << 20
BOUND = 300  # MiB
NUM_SHARDS, SHARD_MEBI, WIDTH = 12, 128, 64  # 1.5 GiB

CODE = """
import sys, threading, time
from pathlib import Path
import drystone as ds

# What libraries take is no memory of the data.
ds.fit("japanese-vowels", target="speaker", epochs=1, hidden_size=4, progress=False, out={warm!r})

def anonymous():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024

def watch():
    global peak
    while True:
        peak = max(peak, anonymous())
        time.sleep(0.002)

base = peak = anonymous()
threading.Thread(target=watch, daemon=True).start()
started = time.time()
{work}
print(f"{{peak - base:.0f}} MiB {{time.time() - started:.0f}} s", flush=True)
"""
WORK = {
    "read": "assert len(ds.read({folder!r})) == {count}",
    "iterate": (
        "seqs = ds.read({folder!r})\n"
        "steps = sum(int(batch.valid.sum()) for batch in ds.Loader(seqs, ds.Packed(rows=32, steps=1000)))\n"
        "assert steps == seqs.num_steps"
    ),
    "train": (
        "run = ds.fit({folder!r}, target='label', epochs=1, hidden_size=4, batch_size=16, num_layers=1, progress=False, "
        "out={out!r})\n"
        "assert run.is_finished"
    ),
}


@pytest.fixture(scope="module")
def shards(tmp_path_factory) -> Iterator[tuple[Path, int]]:
    """A folder of shards of one group of rows each, and how many sequences they hold."""
    folder = tmp_path_factory.mktemp("large")
    random = np.random.default_rng(0)
    count = 0
    for number in range(NUM_SHARDS):
        num_steps = SHARD_MEBI * MEBI // (4 * WIDTH)
        borders = np.cumsum(np.append(0, random.integers(20, 600, num_steps // 300)))
        num_steps = int(borders[-1])
        label = random.integers(0, 3, len(borders) - 1)
        x = random.standard_normal((num_steps, WIDTH), np.float32)
        x += np.repeat(label, np.diff(borders))[:, None].astype(np.float32)
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(x.reshape(-1)), WIDTH)
        lists = pa.LargeListArray.from_arrays(pa.array(borders), vectors)
        table = pa.table({"x": lists, "label": pa.array(np.array(["a", "b", "c"])[label])})
        pq.write_table(table, folder / f"part-{number:02}.parquet", compression="none", use_dictionary=False)
        count += len(label)
    yield folder, count
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="the system does not say what memory is anonymous")
@pytest.mark.parametrize("work", list(WORK))
def test_memory_is_bounded(shards, tmp_path, work):
    folder, count = shards
    total = sum(path.stat().st_size for path in folder.glob("*.parquet")) / MEBI
    assert total > 4 * BOUND
    code = CODE.format(
        warm=str(tmp_path / "warm"), work=WORK[work].format(folder=str(folder), count=count, out=str(tmp_path / "run"))
    )
    # Else the allocator of Linux keeps what batches of many shapes gave back, whatever the data.
    given_back = {f"MALLOC_{name}_THRESHOLD_": "65536" for name in ("MMAP", "TRIM")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | given_back,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) < BOUND, f"{total:.0f} MiB of shards took {done.stdout.strip()}"
