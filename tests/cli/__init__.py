"""What belongs to the tests of the command line only."""
