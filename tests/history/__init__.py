"""The history checker: many write and listen on real instances while everything around them fails,
and afterwards nothing that was acknowledged is missing anywhere.

It keeps every acknowledgement and every receipt. Of each session that stayed valid it is checked
that every message acknowledged in its time came, once, and in the order of ids; of the database,
that every acknowledged message is there once. A session that was told to identify anew has been
told of its loss; a new one begins.
"""
