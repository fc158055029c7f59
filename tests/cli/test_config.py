"""`drystone config` and `drystone fit --config`: templates, files, and how they are refused."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from drystone.cli.fit_config import FitConfig
from drystone.train.settings import Settings
from drystone.train.tasks.known import TASKS, goes_with


@pytest.fixture
def template(program: Any) -> str:
    return printed(program, "classify")


def printed(program: Any, task: str) -> str:
    code, out, err = program("config", task)
    assert (code, err) == (0, "")
    return out


def weights(run: str) -> bytes:
    return Path(run, "weights.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("task", "others"),
    [
        ("classify", "horizon window align"),
        ("regress", "horizon label_smoothing class_weights"),
        ("forecast", "pooling label_smoothing class_weights"),
    ],
)
def test_the_template_names_every_setting_of_the_task_with_its_default(program: Any, task: str, others: str) -> None:
    template = printed(program, task)
    settings = {name: field for name, field in FitConfig.model_fields.items() if task in goes_with(name)}
    assert {"data", "out", "overwrite", "quiet", "task", "hidden_size"} <= settings.keys()
    assert not set(others.split()) & settings.keys()
    found = tomllib.loads(template)
    defaults = {name: field.default for name, field in settings.items() if not field.is_required()}
    defaults |= {"task": task} | TASKS[task].fixed_defaults()
    assert found == {name: value for name, value in defaults.items() if value is not None}
    assert FitConfig.of(**found, target="y").model_dump(exclude_none=True).keys() >= found.keys()
    assert not [line for line in template.splitlines() if line.removeprefix("# ").split(" ")[0] in others.split()]
    for name, field in settings.items():
        (line,) = (line for line in template.splitlines() if line.removeprefix("# ").startswith(f"{name} = "))
        assert line.startswith("# ") == (name not in found)
        assert line.endswith(f"# {field.description}")
    for panel in ("Data", "Layout of batches", "Model", "Training", "Output"):
        assert template.count(f"# {panel}\n") == 1


def test_the_template_filled_in_trains_as_flags_do(program: Any, tiny: list[str], template: str) -> None:
    chosen = {"data": "tiny.parquet", "target": "y", "hidden_size": 3, "epochs": 4, "batch_size": 8, "out": "by-file"}
    lines = []
    for line in template.splitlines():
        name = line.removeprefix("# ").partition(" = ")[0]
        lines.append(f"{name} = {chosen[name]!r}" if name in chosen else line)
    Path("run.toml").write_text("\n".join(lines))
    assert program("fit", "--config", "run.toml", "--quiet")[::2] == (0, "")
    assert program("fit", *tiny, "--quiet", "--out", "by-flags")[::2] == (0, "")
    assert weights("by-file") == weights("by-flags")


def test_the_config_of_a_run_trains_it_again(program: Any, tiny: list[str]) -> None:
    assert program("fit", *tiny, "--seed", "3", "--valid-fraction", "0.2", "--noise", "0.3")[0] == 0
    assert program("fit", "--config", "runs/tiny-1/config.toml")[0] == 0
    assert weights("runs/tiny-1") == weights("runs/tiny-2")
    assert Path("runs/tiny-1/config.toml").read_text() == Path("runs/tiny-2/config.toml").read_text()


def test_the_config_of_a_run_on_built_in_data_trains_it_again(program: Any) -> None:
    fast = ["--epochs", "1", "--hidden-size", "3", "--batch-size", "128", "--quiet"]
    assert program("fit", "japanese-vowels", *fast)[0] == 0
    assert program("fit", "--config", "runs/japanese-vowels-1/config.toml", "--quiet")[0] == 0
    assert weights("runs/japanese-vowels-1") == weights("runs/japanese-vowels-2")


def test_flags_win_over_the_file_and_the_file_over_the_settings_of_the_data(program: Any, tiny: list[str]) -> None:
    Path("run.toml").write_text(
        'data = "japanese-vowels"\nepochs = 1\nhidden_size = 3\nbatch_size = 256\nnoise = 0.5\nquiet = true\n'
    )
    code, _, err = program("fit", "--config", "run.toml")
    assert (code, err) == (0, "settings of this data set that yours replace: noise=1.25\n")
    settings = Settings.load(Path("runs/japanese-vowels-1/config.toml"))
    assert (settings.target, settings.split_column, settings.noise) == ("speaker", "part", 0.5)
    code, _, err = program("fit", "--config", "run.toml", "--noise", "1.25", "--hidden-size", "4")
    assert (code, err) == (0, "settings of this data set, unless options say otherwise: noise=1.25\n")
    settings = Settings.load(Path("runs/japanese-vowels-2/config.toml"))
    assert (settings.noise, settings.hidden_size, settings.epochs) == (1.25, 4, 1)
    code, _, err = program("fit", *tiny[:3], "--config", "run.toml", "--no-quiet")
    assert code == 0
    assert "epoch 1/1" in err
    assert Settings.load(Path("runs/tiny-1/config.toml")).data == "tiny.parquet"


BAD = [
    ("epoch = 3", [], "run.toml: there is no setting 'epoch'. Did you mean 'epochs'?"),
    ("overwite = true", [], "run.toml: there is no setting 'overwite'. Did you mean 'overwrite'?"),
    ("zzz = 1", [], "run.toml: there is no setting 'zzz'. The settings are: data, target,"),
    ("rows = 8\nsteps = 64", [], "run.toml: rows goes with layout packed or stateful, not with padded."),
    ("batch_size = 8\nlayout = 'bucketed'\ncells = 99", [], "run.toml: give either batch_size or cells."),
    ("layout = 'packed'\nrows = 8", [], "run.toml: rows needs steps too."),
    ("layout = 'packed'\nsteps = 64", ["--layout", "padded"], "run.toml with --layout: steps goes with layout packed"),
    ("patience = 2", [], "run.toml: patience needs a validation part"),
    ("evaluate_every = 2", [], "run.toml: evaluate_every needs a validation part"),
    ("split_column = 'part'\ntest_fraction = 0.2", [], "run.toml: split_column is 'part', which states the parts"),
    ("valid_fraction = 0.5\ntest_fraction = 0.5", [], "must leave something to train on"),
    ("epochs = 0", [], "run.toml: epochs is 0: Input should be greater than or equal to 1."),
    ("hidden_size = 'wide'", [], "run.toml: hidden_size is 'wide'"),
    ("epochs = '3'", [], "run.toml: epochs is '3': Input should be a valid integer."),
    ("epochs = true", [], "run.toml: epochs is True: Input should be a valid integer."),
    ("learning_rate = true", [], "run.toml: learning_rate is True: Input should be a valid number."),
    ("bidirectional = 1", [], "run.toml: bidirectional is 1: Input should be a valid boolean."),
    ("seed = 3.0", [], "run.toml: seed is 3.0: Input should be a valid integer."),
    ("monitor = 'acc'", [], "run.toml: monitor is 'acc'; the figures are: loss, accuracy, f1."),
    ("device = 'cpu'\nprecision = '16-mixed'", [], "run.toml: precision is '16-mixed', which needs a GPU"),
    ("dropout = nan", [], "run.toml: dropout is nan"),
    ("device = 'tpu9'", [], "run.toml: device"),
    ("epochs = ", [], "run.toml is not valid TOML"),
    ("data = 'gone.parquet'", [], "there is no file gone.parquet"),
    ("out = 'taken'", [], "taken exists"),
]


@pytest.mark.parametrize(("content", "arguments", "words"), BAD, ids=[content for content, _, _ in BAD])
def test_a_bad_file_ends_with_a_sentence_and_writes_nothing(
    program: Any, tiny: list[str], tmp_path: Path, content: str, arguments: list[str], words: str
) -> None:
    data = "" if "data" in content else "data = 'tiny.parquet'\n"
    Path("run.toml").write_text(f"{data}target = 'y'\n{content}\n")
    Path("taken").mkdir()
    Path("taken/file").touch()
    before = sorted(tmp_path.rglob("*"))
    code, out, err = program("fit", "--config", "run.toml", *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert sorted(tmp_path.rglob("*")) == before


def test_whole_numbers_serve_where_others_do_and_features_are_a_list(program: Any, tiny: list[str]) -> None:
    Path("run.toml").write_text("learning_rate = 1\ncheckpoint_seconds = 5\nfeatures = ['x']\n")
    assert program("fit", *tiny, "--config", "run.toml", "--quiet")[::2] == (0, "")
    settings = Settings.load(Path("runs/tiny-1/config.toml"))
    assert (settings.learning_rate, settings.features) == (1.0, ("x",))


def test_what_a_file_leaves_out_must_be_said(program: Any, tiny: list[str]) -> None:
    Path("run.toml").write_text("epochs = 3\n")
    assert "say what to train on" in program("fit", "--config", "run.toml")[2]
    code, _, err = program("fit", "tiny.parquet", "--config", "run.toml")
    assert (code, "--target; the fields are: x, y" in err) == (2, True)
    code, _, err = program("fit", "--config", "gone.toml")
    assert (code, err) == (2, "error: gone.toml cannot be read: No such file or directory.\n")


def test_an_unknown_task_names_the_nearest(program: Any) -> None:
    code, out, err = program("config", "clasify")
    assert (code, out) == (2, "")
    assert err == (
        "error: there is no task 'clasify'. Did you mean 'classify'? There are: classify, regress, tag, joint, forecast, language-model.\n"
    )
