"""`drystone config`: a template of a settings file."""

from typing import Annotated

import typer

from drystone.core.errors import ConfigError
from drystone.readers.options import did_you_mean
from drystone.train.libraries import need_libraries
from drystone.train.tasks.known import TASKS

HELP = """Print all settings of a task, with comments, as a TOML file.

\b
Examples:
  drystone config classify > run.toml
  drystone config forecast
  drystone config tag
  drystone fit --config run.toml
"""
HEAD = """\
# Settings of `drystone fit --config FILE`. Options on the command line win over this file.
# A line that begins with # has no default of its own: take the # away and fill in a value. Lines may be left out.

"""


def template(task: str) -> str:
    """Returns the template of a task for `drystone fit`."""
    need_libraries()
    from drystone.cli.fit_config import FitConfig
    from drystone.train.settings.toml import as_toml

    defaults = {name: None if field.is_required() else field.default for name, field in FitConfig.model_fields.items()}
    return HEAD + as_toml(FitConfig, task, {**defaults, "task": task, **TASKS[task].fixed_defaults()})


def config(
    task: Annotated[str, typer.Argument(help=f"What the model is trained for: {', '.join(TASKS)}.", metavar="TASK")],
) -> None:
    """Prints the template of a task."""
    if task not in TASKS:
        raise ConfigError(f"there is no task {task!r}.{did_you_mean(task, list(TASKS))} There are: {', '.join(TASKS)}.")
    typer.echo(template(task), nl=False)
