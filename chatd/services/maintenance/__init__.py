"""Background tasks: deletion of expired and orphaned rows, and the search index."""
