"""Background tasks: deletion of expired, old and orphaned rows, and the search index."""
