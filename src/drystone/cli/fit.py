"""`drystone fit`: train on a file or a built-in data set, or go on with a run that was stopped."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from signal import SIGINT
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drystone.cli.data import read_data, say_reading
from drystone.cli.interrupts import INTERRUPTED, ends_at_once
from drystone.cli.intervals import say_intervals
from drystone.cli.one_voice import failing_together
from drystone.cli.options import flag_of, in_words, with_options
from drystone.cli.reading import Reading
from drystone.core.errors import ConfigError, DataError, MissingExtraError
from drystone.core.sequences import Sequences
from drystone.core.words import so_many
from drystone.datasets import Dataset
from drystone.readers.find import built_in_of
from drystone.readers.like import KEYS
from drystone.train.libraries import need_libraries
from drystone.train.tasks.known import TASKS, usual_target

if TYPE_CHECKING:
    from drystone.train import Run

HELP = """Train on sequences, and keep all in a run folder.

The model learns classes or numbers, of whole sequences or at every step, or forecasts: see --task.
Every setting that drystone config TASK prints is an option too: class_weights is --class-weights.
Options win over --config, which holds any of them.

\b
Examples:
  drystone fit japanese-vowels
  drystone fit my.parquet --target label --epochs 50
  drystone fit steps.csv --sequence-id id --order-by time --target label
  drystone fit animals.parquet --target weight_kg --layout packed
  drystone fit hourly.csv --order-by time --target load --horizon 24
  drystone fit my.parquet --target level --task forecast --horizon 6
  drystone fit chorales.parquet --target notes --task tag --ahead 1
  drystone config classify > run.toml; drystone fit --config run.toml
  drystone fit --resume runs/my-1
"""
NO_SETTINGS = {"out", "overwrite", "quiet"}
PARTS = ("valid", "test")  # that may have files of their own
WITH_RESUME = {"quiet", *PARTS}
Arguments = Annotated[list[str] | None, typer.Argument(metavar="DATA")]


def command() -> Any:
    """Returns the command with its options; they come from the settings, so the extra `torch` must be there."""
    from drystone.cli.fit_config import FitConfig

    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    app.command("fit", help=HELP, no_args_is_help=True)(with_options(fit, FitConfig, {"data"}, _defaults()))
    return typer.main.get_command(app)


def _defaults() -> dict[str, str]:
    """Returns words for the defaults that depend on the task, such as "padded; forecast: stateful"."""
    found: dict[str, list[str]] = {}
    for task, about in TASKS.items():
        for name, value in about.defaults({}).items():
            if value is not None:
                words = in_words(value)
                known = found.setdefault(name, [words])
                if known[0] != words:
                    known.append(f"{task}: {words}")
    return {name: "; ".join(words) for name, words in found.items()}


def is_ready() -> bool:
    """Returns whether the libraries are there that settings are made of."""
    try:
        need_libraries()
    except MissingExtraError:
        return False
    return True


def not_ready(_arguments: Arguments = None) -> None:
    """Stands in for the command where its libraries are missing, and says which."""
    need_libraries()


def fit(
    data: Annotated[
        str | None,
        typer.Argument(
            help="A file, a folder, a pattern, an address, or the name of a built-in data set.",
            metavar="DATA",
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Read settings from this file; a run's config.toml serves too.", metavar="TOML")
    ] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with this run, which was stopped.", metavar="RUN")] = None,
    **options: Any,
) -> None:
    """Trains, or goes on with training, and prints the figure of the test part."""
    given = {name: value for name, value in options.items() if value is not None}
    for name, value in given.items():
        if isinstance(value, list):
            given[name] = tuple(each.strip() for words in value for each in words.split(",") if each.strip())
    if resume is None:
        _start(data, config, given)
    else:
        _go_on(resume, data, {"config": config, **given} if config is not None else given)


def _start(data: str | None, config: Path | None, given: Mapping[str, Any]) -> None:
    with ends_at_once(), failing_together():
        from drystone.cli.fit_config import FitConfig
        from drystone.train.data import Sources, sequences_for

        chosen = {**_in_file(config), **({} if data is None else {"data": data}), **given}
        if "data" not in chosen:
            raise ConfigError("say what to train on: drystone fit DATA, or data = ... in the file of --config.")
        built_in = built_in_of(str(chosen["data"]))
        chosen = {**_known_of(built_in, has_files=any(part in chosen for part in PARTS)), **chosen}
        source = str(chosen["data"])
        if "target" not in chosen and usual_target(chosen) is None:
            how = Reading(**{name: chosen[name] for name in KEYS if name in chosen}, drop_empty=True)
            names = read_data(source, how).field_names
            raise ConfigError(f"say what to predict with --target; the fields are: {', '.join(names)}.")
        with _naming(config, given):
            checked = FitConfig.of(**chosen)
        assert isinstance(checked, FitConfig)
        _say_settings_of(built_in, chosen)
        seqs = sequences_for(Sources(train=source), checked)
        say_reading(seqs)
        say_intervals(seqs)

        from drystone import train  # after all that needs no framework

    name = Path(source).absolute().name.split(".")[0]
    settings = {name: value for name, value in chosen.items() if name in train.Settings.model_fields}
    with _naming(config, given):
        run = train.fit(
            seqs, out=checked.out, overwrite=checked.overwrite, progress=not checked.quiet, name=name, **settings
        )
    _report(run, seqs)


def _in_file(config: Path | None) -> dict[str, Any]:
    from drystone.cli.fit_config import FitConfig
    from drystone.train.settings.toml import read_toml

    if config is None:
        return {}
    found = read_toml(config)
    try:
        FitConfig.check_names(found)
    except ConfigError as error:
        raise ConfigError(f"{config}: {error}") from None
    return found


def _known_of(built_in: Dataset | None, *, has_files: bool) -> dict[str, Any]:
    if built_in is None:
        return {}
    split = {} if has_files else {"split_column": built_in.split_column}
    return {"target": built_in.target, **split, **built_in.settings}


def _say_settings_of(built_in: Dataset | None, chosen: Mapping[str, Any]) -> None:
    """Says which settings were made for a built-in data set, and which of them are not in use."""
    settings = {} if built_in is None else built_in.settings
    used = [f"{name}={value}" for name, value in settings.items() if chosen[name] == value]
    replaced = [f"{name}={value}" for name, value in settings.items() if chosen[name] != value]
    if used:
        typer.echo(f"settings of this data set, unless options say otherwise: {' '.join(used)}", err=True)
    if replaced:
        typer.echo(f"settings of this data set that yours replace: {' '.join(replaced)}", err=True)


@contextmanager
def _naming(config: Path | None, given: Mapping[str, Any]) -> Iterator[None]:
    """Names the file and the options that a contradiction may lie between."""
    try:
        yield
    except ConfigError as error:
        if config is None:
            raise
        flags = [flag_of(name) for name in given if name not in NO_SETTINGS]
        options = f" with {', '.join(flags)}" if flags else ""
        named = ConfigError(f"{config}{options}: {error}")
        for note in getattr(error, "__notes__", ()):
            named.add_note(note)
        raise named from error


def _go_on(path: Path, data: str | None, given: Mapping[str, Any]) -> None:
    others = [flag_of(name) for name in given if name not in WITH_RESUME]
    if others:
        raise ConfigError(
            f"a run goes on with the settings that it began with: leave out {', '.join(others)}. "
            f"To train with others, begin a new run: drystone fit --config {quote(str(path / 'config.toml'))} ..."
        )
    with ends_at_once(), failing_together():
        from drystone.train.folder import names
        from drystone.train.folder.manifest import Manifest
        from drystone.train.settings import Settings

        if Manifest.load(path).status == "finished":
            typer.echo(f"{path} is finished already: there is nothing to go on with.")
            return
        seqs = _data_of(Settings.load(path / names.SETTINGS), path, data, {part: given.get(part) for part in PARTS})

        from drystone import train  # after all that needs no framework

    _report(train.resume(path, seqs, progress=not given.get("quiet", False)), seqs)


def _data_of(settings: Any, path: Path, data: str | None, parts: Mapping[str, str | None]) -> Sequences:
    from drystone.train.data import Sources, sequences_for

    try:
        seqs = sequences_for(Sources(train=data, **parts), settings)
    except (ConfigError, DataError) as error:
        asked = ["DATA"] if data is None else []
        asked += [f"--{part} {part.upper()}" for part in PARTS if getattr(settings, part) and parts[part] is None]
        if not asked:
            raise
        words = f"drystone fit {' '.join(asked)} --resume {quote(str(path))}"
        raise type(error)(f"{error} Give the data of the run: {words}") from error
    say_reading(seqs)
    return seqs


def _report(run: "Run", seqs: Sequences) -> None:
    from drystone.train.targets import parts_of

    if not run.is_finished:
        by = "Ctrl-C" if run.stopped_by == SIGINT else "SIGTERM"
        typer.echo(f"stopped by {by}; resumable: drystone fit --resume {quote(str(run.path))}")
        raise typer.Exit(INTERRUPTED if run.stopped_by == SIGINT else 0)
    used = run.schema.features.names
    typer.echo(f"{run.split.in_words()}; features: {', '.join(used)}")
    if run.schema.features.vocabulary is not None:
        shares = ", ".join(f"{part} {share:.1%}" for part, share in run.unknown_words.items())
        words = run.schema.features.vocabulary
        rare = f"{len(words) - words.first_rare:,} of them rare"
        typer.echo(f"vocabulary: {so_many(len(words), 'token')}, {rare}; unknown words: {shares}")
    if run.truncated:
        left_out = "; ".join(f"{part} {found}" for part, found in run.truncated.items())
        typer.echo(f"left out by max_steps: {left_out}")
    settings = run.settings
    known = {
        *run.schema.features.sources,
        *parts_of(run.schema.target, seqs),
        settings.order_by,
        settings.sequence_id,
        settings.part_field,
        settings.group,
    }
    left_out = [f"{name} ({seqs.field(name).describe()})" for name in seqs.field_names if name not in known]
    if left_out:
        typer.echo(f"left out: {', '.join(left_out)}")
    for record in run.metrics:
        if record["part"] == "test":
            typer.echo(f"test {run.task.in_words(record)[0]}")
    typer.echo(f"run folder {run.path}")
