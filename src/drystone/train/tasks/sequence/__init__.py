"""What tasks share that say something of each sequence."""
