"""What models say of a sequence or a step: one of some classes, several yes/no, or numbers."""
