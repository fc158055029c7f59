"""Those who watch a training: each takes the same events, and none knows of the others."""
