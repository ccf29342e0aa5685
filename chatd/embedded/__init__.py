"""The private Postgres and Valkey of `chatd serve --embedded`, started and stopped with it.

    lifecycle   starts and restarts both servers; shares them with commands
    server      a server process: start, stop, readiness
    postgres    Postgres: `initdb`, settings, databases
    valkey      Valkey
    data_dir    the data folder: lock, secret, URLs for commands
    privileges  the account that the servers run as
    processes   orphaned server processes, and folders that they still write

The servers listen on Unix sockets only and keep their data in the data folder. They are child
processes, and end with chatd even if it is killed, where the system supports that. The next start
ends what an earlier process left behind.

Postgres refuses to run as root. So chatd, run as root, starts both servers as the account "chatd".
It never changes the mode of folders that are not its own. Where the account cannot traverse one,
the servers get the one capability for it.
"""
