"""Settings of what a run writes."""

from drystone.train.settings.setting import OUTPUT, SomeSettings, setting


class OutputSettings(SomeSettings):
    """What is written, and how often."""

    checkpoint_seconds: float = setting(
        60.0, OUTPUT, "seconds between checkpoints; 0 saves after every update", rare=True, ge=0
    )
    tensorboard: bool = setting(False, OUTPUT, "whether to write event files for TensorBoard", rare=True)
