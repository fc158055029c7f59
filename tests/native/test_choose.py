"""Which core serves, and how people learn of it."""

import os
import subprocess
import sys
from importlib.metadata import version

import pytest

COLLATE_TWICE = """
import drystone as ds
print("imported")
seqs = ds.Sequences.from_arrays({"x": [[1, 2, 3], [4]]})
for batch in ds.Loader(seqs, ds.Padded(1, order="given")):
    print(batch["x"].tolist())
"""
WITHOUT = """
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name.endswith("._native") else find(name, package)
"""


def run(code: str, switch: str | None = None) -> tuple[str, list[str]]:
    rest = {key: value for key, value in os.environ.items() if key not in ("DRYSTONE_NATIVE", "PYTHONWARNINGS")}
    environ = rest if switch is None else {**rest, "DRYSTONE_NATIVE": switch}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environ)
    return done.stdout, [line for line in done.stderr.splitlines() if "Warning" in line]


def test_where_the_extension_is_missing_one_warning_says_so_at_first_use() -> None:
    out, warnings = run(WITHOUT + COLLATE_TWICE)
    assert out == "imported\n[[1, 2, 3]]\n[[4]]\n"
    assert len(warnings) == 1
    assert "SlowerCoreWarning: drystone's native core is not built; NumPy serves in its place, slower." in warnings[0]
    assert "Install a C++ compiler, then drystone again." in warnings[0]
    assert run(WITHOUT + "import drystone")[1] == []


def test_switched_off_it_is_not_loaded_and_nobody_is_warned() -> None:
    out, warnings = run(COLLATE_TWICE + "import sys; print('drystone.native._native' in sys.modules)", switch="0")
    assert out.splitlines()[-1] == "False"
    assert warnings == []


@pytest.mark.parametrize(
    ("before", "switch", "words"),
    [
        (WITHOUT, None, "not built; NumPy serves, slower"),
        (WITHOUT, "0", "switched off by DRYSTONE_NATIVE=0"),
        ("", "0", "switched off by DRYSTONE_NATIVE=0"),
    ],
)
def test_the_version_says_which_core_serves(before: str, switch: str | None, words: str) -> None:
    code = "import sys; from drystone.cli.main import main; sys.argv[1:] = ['--version']; main()"
    assert run(before + code, switch)[0] == f"drystone {version('drystone')} (native core: {words})\n"
