"""Storage of files: on the local disk, or in an S3-compatible object store.

Both store a file completely or not at all. Keys consist of ids and hashes, never of user input.
"""
