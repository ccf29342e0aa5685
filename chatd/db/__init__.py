"""Access to Postgres: connections, their pool, cursors, transactions and migrations.

The SQL of the application is in `queries`.
"""
