"""Where files are kept: on the local disk, or in a store that speaks S3.

Both keep a file whole or not at all. Keys are made of ids and hashes, never of what users write.
"""
