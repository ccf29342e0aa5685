"""Raw SQL, a module per table group: each function takes a cursor and returns models.

SQL stands as it would be typed into psql. Values only ever travel as parameters.
"""
