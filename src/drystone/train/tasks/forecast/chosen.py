"""What a run forecasts: chosen by its settings and its training part."""

from drystone.core.errors import ConfigError
from drystone.core.sequences import Sequences
from drystone.train.features.feature import Feature, Features
from drystone.train.settings import Settings
from drystone.train.split import Split
from drystone.train.tasks.forecast.base import best_base
from drystone.train.tasks.forecast.mase import naive_errors
from drystone.train.tasks.forecast.outlook import Outlook
from drystone.train.tasks.forecast.season import usual_season
from drystone.train.tasks.number_names import number_names


def outlook_of(seqs: Sequences, settings: Settings, split: Split, features: Features) -> Outlook:
    """Returns what is forecast: season and base, where nobody chose them, are found in the training part.

    Raises:
        ConfigError: base is "season", and no season is known, or none as short as the training part.
    """
    assert settings.horizon is not None
    target, train = settings.target, split.sequences(seqs, "train")
    season = settings.season or usual_season(train)
    if settings.base == "season" and season is None:
        raise ConfigError(
            "base is 'season', and no season is known: the steps are not ordered by timestamps that are equally far apart. "
            "Give season, in steps, or another base."
        )
    longest = int(train.lengths.max())
    if settings.season is not None and settings.season >= longest:
        raise ConfigError(
            f"season is {settings.season} steps, and the longest series of the training part has {longest}, so that no value "
            f"is a season old. Give a shorter season."
        )
    shape = seqs.field(target).item_shape
    base = settings.base
    if base is None:  # a target that is no input may not be known when a forecast is made
        is_known = bool(places_of(target, shape, features))
        base = best_base(train, target, season, settings.horizon) if is_known else "none"
    return Outlook(
        horizon=settings.horizon,
        shape=shape,
        season=season,
        base=base,
        naive_errors=tuple(naive_errors(train, target, season).tolist()),
    )


def places_of(target: str, shape: tuple[int, ...], features: Features) -> tuple[int, ...]:
    """Returns which numbers of a step of the features are the target; () where they are not all there."""
    for names in (Feature(name=target, shape=shape).columns, number_names(target, shape)):
        if set(names) <= set(features.columns):
            return tuple(features.columns.index(name) for name in names)
    return ()
