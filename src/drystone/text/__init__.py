"""Text: from characters, words and tags to numbers, without a framework."""
