"""Pictures of plans and runs."""

from drystone.core.extras import need

need("plot", "matplotlib")
