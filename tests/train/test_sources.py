"""Parts that are files, or sequences, of their own."""

import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import drystone as ds
from drystone.train import Run
from drystone.train.data import IN_MEMORY, Sources, sequences_for
from drystone.train.settings import PART_FIELD, Settings
from drystone.train.split import Split
from tests.cli.small import signal_after_first_epoch
from tests.train.small import SMALL
from tests.train.tasks.series import waves


def made(count: int, seed: int, **more: Any) -> ds.Sequences:
    rng = np.random.default_rng(seed)
    x = [rng.normal(size=length) + number % 2 for number, length in enumerate(rng.integers(2, 6, count))]
    wholes = {"y": ["ab"[number % 2] for number in range(count)], "id": [f"{seed}-{n}" for n in range(count)]}
    return ds.Sequences.from_arrays({"x": x}, wholes | more)


TRAIN, VALID, TEST = made(12, 0), made(4, 1), made(6, 2)


def write(seqs: ds.Sequences, name: str) -> str:
    pq.write_table(pa.table(seqs), name)
    return name


def written() -> dict[str, str]:
    return {name: write(seqs, f"{name}.parquet") for name, seqs in (("train", TRAIN), ("valid", VALID), ("test", TEST))}


def test_each_source_is_a_part_and_none_is_drawn() -> None:
    run = ds.fit(TRAIN, "y", valid=VALID, test=TEST, patience=5, **SMALL)
    assert run.split.train.tolist() == list(range(12))
    assert run.split.valid.tolist() == list(range(12, 16))
    assert run.split.test.tolist() == list(range(16, 22))
    assert {record["part"] for record in run.metrics} == {"train", "valid", "test"}
    assert (run.settings.valid, run.settings.test, run.settings.test_fraction) == (IN_MEMORY, IN_MEMORY, None)
    assert run.schema.features.names == ("x",)
    assert run.evaluate(TEST).loss == pytest.approx(run.metrics[-1]["loss"])


def test_it_is_as_if_a_field_stated_the_parts() -> None:
    stated = ds.Sequences.from_arrays(
        {"x": [found["x"] for seqs in (TRAIN, VALID, TEST) for found in seqs]},
        {
            "y": [found["y"] for seqs in (TRAIN, VALID, TEST) for found in seqs],
            "part": ["train"] * 12 + ["valid"] * 4 + ["test"] * 6,
        },
    )
    first = ds.fit(stated, "y", split_column="part", **SMALL)
    second = ds.fit(TRAIN, "y", valid=VALID, test=TEST, **SMALL)
    weights = [(run.path / "weights.safetensors").read_bytes() for run in (first, second)]
    assert weights[0] == weights[1]


def test_files_are_read_and_the_settings_name_them() -> None:
    files = written()
    run = ds.fit(files["train"], "y", valid=files["valid"], test=Path(files["test"]), **SMALL)
    assert (run.settings.data, run.settings.valid, run.settings.test) == tuple(files.values())
    memory = ds.fit(TRAIN, "y", valid=VALID, test=TEST, **SMALL)
    weights = [(each.path / "weights.safetensors").read_bytes() for each in (run, memory)]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("given", [{"valid": VALID}, {"test": TEST}], ids=["valid", "test"])
def test_one_part_alone(given: dict[str, Any]) -> None:
    run = ds.fit(TRAIN, "y", **given, **SMALL)
    (part,) = given
    assert {name: len(run.split.part(name)) for name in ("train", "valid", "test")} == {
        "train": 12,
        "valid": 0,
        "test": 0,
        part: len(given[part]),
    }


def test_a_validation_part_is_drawn_beside_a_test_file() -> None:
    run = ds.fit(TRAIN, "y", test=TEST, valid_fraction=0.25, patience=5, **SMALL)
    assert [len(run.split.part(part)) for part in ("train", "valid", "test")] == [9, 3, 6]
    assert run.known_part(TEST) == "test"
    assert run.known_part(TRAIN) is None


def test_a_run_knows_its_parts_again() -> None:
    run = Run.open(ds.fit(TRAIN, "y", valid=VALID, test=TEST, **SMALL).path)
    assert [run.known_part(seqs) for seqs in (TRAIN, VALID, TEST, TEST[:3])] == ["train", "valid", "test", None]
    assert run.part(TEST, "test") is TEST
    with pytest.raises(ds.ConfigError, match="these are the train part of .*; its test part lies elsewhere: give that"):
        run.part(TRAIN, "test")
    with pytest.raises(ds.ConfigError, match="these are not the data that .* was made from"):
        run.part(TEST[:3], "test")
    assert Split.load(run.path / "split.parquet").fingerprints.keys() == {"train", "valid", "test"}


def stopped(train: Any, **parts: Any) -> Path:
    with signal_after_first_epoch(signal.SIGTERM):
        return ds.fit(train, "y", **parts, **SMALL | {"epochs": 3}, checkpoint_seconds=0).path


def test_a_stopped_run_reads_its_files_again() -> None:
    files = written()
    parts = {"valid": files["valid"], "test": files["test"]}
    path = stopped(files["train"], **parts)
    run = ds.resume(path, progress=False)
    whole = ds.fit(files["train"], "y", **parts, **SMALL | {"epochs": 3})
    assert run.is_finished
    assert (path / "weights.safetensors").read_bytes() == (whole.path / "weights.safetensors").read_bytes()
    path = stopped(files["train"], **parts)
    write(TEST[:5], "test.parquet")
    with pytest.raises(ds.RunError, match="not the sequences that the run was made from: 21 sequences"):
        ds.resume(path, progress=False)
    assert ds.resume(path, test=TEST, progress=False).is_finished


def test_parts_in_memory_are_given_again() -> None:
    path = stopped(TRAIN, valid=VALID, test=TEST)
    with pytest.raises(
        ds.ConfigError, match="does not say where its data lie, since it was made from sequences in memory"
    ):
        ds.resume(path, progress=False)
    with pytest.raises(ds.ConfigError, match="does not say where the sequences of its valid part lie, .* give them"):
        ds.resume(path, TRAIN, test=TEST, progress=False)
    assert ds.resume(path, TRAIN, valid=VALID, test=TEST, progress=False).is_finished
    path = stopped(TRAIN)
    with pytest.raises(
        ds.ConfigError, match=r"test is given, and the run has no such source: leave out test \(--test\)"
    ):
        ds.resume(path, TRAIN, test=TEST, progress=False)


def test_series_of_their_own_are_forecast() -> None:
    train, test = waves((60, 50)), waves((40,), seed=3)
    later = test.field("time").values + 1000
    test = ds.Sequences.from_arrays({"y": [test[0]["y"]], "z": [test[0]["z"]], "time": [later]}, {"pump": ["p0"]})
    test = replace(test, order_by="time", sequence_id="pump")
    run = ds.fit(train, "y", test=test, task="forecast", horizon=2, **SMALL)
    assert run.split.in_words() == "train 2 sequences, test 1 sequence"
    early = replace(waves((40,), seed=3), order_by="time", sequence_id="pump")
    with pytest.raises(ds.DataError, match="one 'pump' lies in two parts: .* They overlap in 'time'"):
        ds.fit(train, "y", test=early, task="forecast", horizon=2, **SMALL)


def test_groups_in_two_files_are_refused() -> None:
    train, test = made(12, 0, who=[*"pqrstu"] * 2), made(4, 1, who=[*"vwxu"])
    with pytest.raises(ds.DataError, match="group 'who' u lies in two parts: sequence 5 in train, sequence 15 in test"):
        ds.fit(train, "y", test=test, group="who", **SMALL)


def test_fields_that_only_one_part_has_are_left_out_and_told() -> None:
    extra = made(4, 1, note=["n"] * 4)
    with pytest.warns(
        UserWarning, match=r"left out of the valid part \(in memory\), since not every part has it: 'note'"
    ):
        run = ds.fit(TRAIN, "y", valid=extra, **SMALL)
    assert len(run.split.valid) == 4


def test_sequences_with_their_parts_stay_as_they_are() -> None:
    settings = Settings.of(target="y", valid=IN_MEMORY)
    whole = sequences_for(Sources(train=TRAIN, valid=VALID), settings)
    assert whole.field(PART_FIELD).values.tolist() == ["train"] * 12 + ["valid"] * 4
    assert sequences_for(Sources(train=whole), settings) is whole


def test_empty_sequences_are_counted_through_all_files() -> None:
    for name in ("a", "b"):
        pq.write_table(pa.table({"x": [[1.0], [], [2.0, 3.0]], "y": ["a", "b", "b"]}), f"{name}.parquet")
    settings = Settings.of(target="y", data="a.parquet", test="b.parquet", drop_empty=True)
    whole = sequences_for(Sources(), settings)
    assert (whole.dropped.tolist(), len(whole)) == ([1, 4], 4)


BARE = ds.Sequences.from_arrays({"x": [[1.0, 2.0]]}, {"id": ["p"]})


@pytest.mark.parametrize(
    ("parts", "settings", "words"),
    [
        ({"valid": BARE}, {}, r"the valid part \(in memory\): there is no field 'y'; the fields are: x, id"),
        ({"test": made(3, 1)[:0]}, {}, r"the test part \(in memory\) holds no sequences"),
        ({"test": 3}, {}, "read takes a path, the name of a built-in data set or a table; got int"),
        ({"test": "gone.parquet"}, {}, "there is no file gone.parquet"),
        ({"valid": VALID}, {"valid_fraction": 0.1}, "which is the validation part; leave out valid_fraction"),
        ({"valid": VALID}, {"test_fraction": 0.1}, "which states the parts; leave out test_fraction"),
        ({"test": TEST}, {"split_column": "id"}, "give either split_column or test"),
        ({"valid": VALID, "test": TEST}, {"split_column": "id"}, "give either split_column or valid and test"),
        (
            {"test": TEST},
            {"patience": 2},
            "patience needs a validation part: give valid_fraction, valid or split_column",
        ),
        ({"test": TEST}, {"split": "time"}, "split is 'time', and test states the parts"),
        ({"test": TRAIN}, {"sequence_id": "id"}, "one 'id' lies in two parts: .* in train, .* in test"),
        ({"test": made(4, 5, y=["c"] * 4)}, {}, "'y' is 'c' in sequence 12, which was not among the classes"),
        (
            {"test": made(4, 5, y=[1, 2, 3, 4])},
            {},
            r"'y': the values of the test part \(in memory\) are numbers of shape",
        ),
    ],
    ids=str,
)
def test_parts_that_do_not_fit_are_named(parts: dict[str, Any], settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ds.DrystoneError, match=words):
        ds.fit(TRAIN, "y", **parts, **settings, **SMALL)
    assert list(Path().iterdir()) == []


def test_forecasts_take_whole_series_or_shares_of_time() -> None:
    for settings in ({"context": 3}, {"valid_fraction": 0.2}):
        with pytest.raises(ds.ConfigError, match="test states whole series"):
            ds.fit(waves((60,)), "y", test=waves((40,), seed=3), task="forecast", **settings, **SMALL)


def test_copies_between_files_are_told() -> None:
    with pytest.warns(
        UserWarning, match="6 sequences of a later part are equal .* sequence 0 in train and sequence 12 in test"
    ):
        ds.fit(TRAIN, "y", test=TRAIN[:6], **SMALL)


def test_a_run_reads_files_as_its_own_data_were_read(tmp_path: Path) -> None:
    path = tmp_path / "steps.csv"
    lines = [
        f"{name},{step},{step * number % 7 + 0.5},{'ab'[number % 2]}"
        for number, name in enumerate("pqrstuvw")
        for step in range(4)
    ]
    path.write_text("\n".join(["id,t,x,y", *lines]) + "\n")
    run = ds.fit(path, "y", sequence_id="id", order_by="t", features=("x",), **SMALL)
    assert run.predict(path).equals(run.predict(str(path)))
    assert run.evaluate(path).sequences == 8
    whole = tmp_path / "wholes.jsonl"
    whole.write_text('{"x": [1.0, 2.0]}\n{"x": [3.0]}\n')
    assert run.predict(whole).num_rows == 2
    with pytest.raises(ds.DataError, match="sequence_id is .id., which is not a column"):
        run.predict(_without_id(path))


def _without_id(path: Path) -> Path:
    found = path.with_name("no_id.csv")
    found.write_text("\n".join(line.split(",", 1)[1] for line in path.read_text().splitlines()) + "\n")
    return found
