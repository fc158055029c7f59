"""Tag: something at every step: a class, several yes/no, or numbers."""
