"""Raw SQL, one module per group of tables. Each function takes a cursor and returns models.

SQL is written as in psql. Values are only passed as parameters.
"""
