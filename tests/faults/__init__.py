"""What becomes of a run that is stopped, killed, or whose disk is full or damaged."""
