"""The settings of a training run, one file a kind."""

from drystone.train.settings.model import Base
from drystone.train.settings.parts import PART_FIELD
from drystone.train.settings.setting import OUTPUT, setting
from drystone.train.settings.settings import Settings
from drystone.train.settings.training import NEED_VALIDATION

__all__ = ["NEED_VALIDATION", "OUTPUT", "PART_FIELD", "Base", "Settings", "setting"]
