"""Help pages: for people, of every setting, and quick."""

import subprocess
import sys
from typing import Any, get_args

import pytest

import drystone.train
from drystone.cli.fit_config import FitConfig
from drystone.cli.options import flag_of

VERBS = ("plan", "fit", "config", "runs", "evaluate", "predict", "export")
LOADED = "import sys\nfrom drystone.cli.main import main\ntry: main()\nexcept SystemExit: print(*sys.modules)"


def python(code: str, *arguments: str) -> str:
    return subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True).stdout


def rare(name: str) -> bool:
    about = FitConfig.model_fields[name].json_schema_extra
    assert isinstance(about, dict)
    return bool(about["rare"])


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_help_lists_the_verbs(program: Any) -> None:
    for flag in ("--help", "-h"):
        code, out, _ = program(flag)
        assert code == 0
        for verb in VERBS:
            assert f"│ {verb} " in out


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_examples(program: Any, verb: str) -> None:
    code, out, _ = program(verb, "-h")
    assert code == 0
    assert f"  drystone {verb}" in out


def test_help_of_fit_shows_what_is_used_often_with_its_default(program: Any) -> None:
    _, out, _ = program("fit", "--help")
    words = " ".join(out.replace("│", "").split())
    for name in FitConfig.model_fields:
        if name != "data":
            assert (f"{flag_of(name)} " in words) != rare(name)
    for default in (
        "128",
        "0.005",
        "padded; forecast: stateful; language-model: stateful",
        "yes; forecast: no; language-model: no",
    ):
        assert words.count(f"(default {default}).") == 1
    assert "Every setting that drystone config TASK prints is an option too" in words
    assert len(out.splitlines()) < 150


def test_every_setting_is_an_option(program: Any) -> None:
    for name, field in FitConfig.model_fields.items():
        if name != "data" and bool not in (field.annotation, *get_args(field.annotation)):
            code, _, err = program("fit", flag_of(name))
            assert (code, "requires an argument" in err) == (2, True), name
    code, _, err = program("fit", "--no-tensorboard", "--no-bidirectional", "--drop-empty", "--overwrite", "--quiet")
    assert "say what to train on" in err


@pytest.mark.parametrize("arguments", [["--help"], ["fit", "--help"], ["config", "classify"], ["runs"], ["-h"]])
def test_help_and_lists_load_no_framework(arguments: list[str]) -> None:
    loaded = set(python(LOADED, *arguments).split())
    assert "drystone.cli.main" in loaded
    assert loaded & {"torch", "keras", "lightning_fabric", "matplotlib", "safetensors"} == set()


def test_plan_needs_no_settings() -> None:
    assert "drystone.train.settings" not in python(LOADED, "plan", "japanese-vowels").split()


@pytest.mark.parametrize(
    "arguments",
    [["fit", "japanese-vowels", "--epochs", "3"], ["config", "classify"], ["runs"], ["export", "run", "--to", "onnx"]],
)
def test_without_the_extra_the_command_that_installs_it_is_named(
    program: Any, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tomlkit", None)
    code, out, err = program(*arguments)
    assert (code, out) == (2, "")
    assert err == "error: tomlkit is not installed. Install it with: pip install 'drystone[torch]'\n"
    assert program("plan", "japanese-vowels")[0] == 0
    assert program("--help")[0] == 0
    assert program("fit", "--help")[0] == 0


def test_names_of_training_are_found_on_first_use() -> None:
    assert sorted(drystone.train.__all__) == sorted(drystone.train._HOMES)
    for name in drystone.train.__all__:
        assert getattr(drystone.train, name) is not None
    assert dir(drystone.train) == drystone.train.__all__
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        drystone.train.fitt  # noqa: B018
