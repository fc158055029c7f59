"""The package as a whole: light to import, its public names pinned."""

import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import drystone

ROOT = Path(__file__).parents[1]
FRAMEWORKS = {"torch", "tensorflow", "jax", "keras", "matplotlib", "pydantic", "pandas", "polars", "onnx", "tokenizers"}


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("statement", ["import drystone", "import drystone.cli.main", "import drystone.readers"])
def test_importing_loads_no_framework(statement: str) -> None:
    loaded = set(run(f"{statement}; import sys; print(*sys.modules)").split())
    assert "drystone.core.sequences" in loaded
    assert loaded & FRAMEWORKS == set()


def test_what_needs_a_framework_is_found_on_first_use() -> None:
    assert run("import drystone as ds; print(ds.fit.__module__, ds.Run.__name__)").split() == [
        "drystone.train.one_call",
        "Run",
    ]


@pytest.mark.parametrize(("library", "name"), [("torch", "fit"), ("tokenizers", "Vocabulary")])
def test_a_missing_library_names_the_command_that_installs_it(library: str, name: str) -> None:
    code = (
        f"import sys; sys.modules['{library}'] = None\n"
        "import drystone as ds\n"
        f"try:\n    ds.{name}\nexcept ds.MissingExtraError as error:\n    print(error)"
    )
    assert run(code) == f"{library} is not installed. Install it with: pip install 'drystone[torch]'\n"


def test_public_names() -> None:
    assert drystone.__all__ == [
        "AuditError", "Batch", "Bucketed", "ConfigError", "DataError", "DrystoneError", "Grid", "Layout", "LayoutError", "Loader",
        "MissingExtraError", "NotFiniteError", "Packed", "Padded", "Plan", "PlanError", "RankError", "Run", "RunError", "Sequences", "ShapeError", "Stateful",
        "Stream", "StreamError", "StreamInputError", "Vocabulary",
        "collate", "fit", "read", "resume",
    ]  # fmt: skip
    assert dir(drystone) == drystone.__all__
    for name in drystone.__all__:
        assert getattr(drystone, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        drystone.fitt  # noqa: B018


def test_version_and_typing_marker() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert version("drystone") == project["version"]
    assert (Path(drystone.__file__).parent / "py.typed").is_file()


def test_the_version_is_that_of_the_installation() -> None:
    assert drystone.__version__ == version("drystone")
