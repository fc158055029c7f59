"""Runs on tables in memory of one step a row, with repeated times."""

import pandas as pd
import pytest

import drystone as ds
from tests.train.small import SMALL


def test_a_table_is_read_as_the_settings_say() -> None:
    rows = [(name, time, float(time + ord(name))) for name in "abcdefghijkl" for time in (3, 1, 2, 2, 0)]
    table = pd.DataFrame(rows, columns=["id", "t", "x"]).assign(y=[name > "f" for name, _, _ in rows])
    run = ds.fit(table, "y", sequence_id="id", order_by="t", duplicates="mean", **SMALL)
    assert run.settings.duplicates == "mean"
    assert ds.resume(run.path, table).is_finished
    seqs = ds.read(table, sequence_id="id", order_by="t", duplicates="mean")
    assert (seqs.num_steps, run.is_made_from(seqs)) == (48, True)
    with pytest.raises(ds.DataError, match="'t' repeats within a sequence at 12 of 60 steps"):
        ds.fit(table, "y", sequence_id="id", order_by="t", duplicates="error", **SMALL)
    with pytest.raises(ds.ConfigError, match="duplicates is 'last'"):
        ds.fit(seqs, "y", duplicates="last", **SMALL)
