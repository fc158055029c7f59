"""All that `drystone fit` takes: the settings of a run, and what becomes of it."""

from drystone.train.settings import OUTPUT, Settings, setting


class FitConfig(Settings):
    """The settings of a training run, with where it is written and what is shown."""

    out: str | None = setting(None, OUTPUT, "the run folder; by default the next of runs/NAME-1, runs/NAME-2 and so on")
    overwrite: bool = setting(False, OUTPUT, "whether an older run there is replaced")
    quiet: bool = setting(False, OUTPUT, "whether to show no progress")
