"""Run folders: what lies in them, how they come and go, and whether they are whole."""
