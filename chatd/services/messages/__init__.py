"""Messages: sending with group commit, editing, history, search, reactions, private channels."""
