"""Training on a Ray cluster: `fit` and `resume` as in `drystone`, on Ray's workers; and `read`, whose first read is theirs."""

from drystone.core.extras import need
from drystone.train.libraries import need_libraries

need_libraries()
need("ray", "ray", "pandas")  # its Train and Data need pandas

from drystone.train.ray.driver import fit, resume  # noqa: E402
from drystone.train.ray.scan import read  # noqa: E402

__all__ = ["fit", "read", "resume"]
