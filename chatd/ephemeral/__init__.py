"""State of all instances together that is kept nowhere and may be lost."""
