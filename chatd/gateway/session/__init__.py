"""Sessions, which outlive their connections, and the filter for the events of bots."""
