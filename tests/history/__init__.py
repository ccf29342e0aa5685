"""The history checker: many write and listen on real instances while everything around them fails,
and afterwards nothing that was acknowledged is missing anywhere.

It keeps every acknowledgement and every receipt. Of each session that stayed valid it is checked
that every message acknowledged in its time came, once, as it was sent, in the order of ids, and
that what came was numbered without a hole; of the database, that every acknowledged message is
there, once. A session that was told to identify anew has been told of its loss; a new one begins.

`record` holds what was seen and judges it; `listener`, `instance` and `stage` are who takes part;
`play` lets it happen; `broken` has builds of the server in which the checker must find something.
"""
