"""The commands other than `serve`: one module per noun.

    command       shared by all: options, confirmation, exit codes; light, so that --help is quick
    output        tables on a terminal, plain lines elsewhere, JSON on request
    dependencies  connections to the databases, and the services that change something
    check         the command `check`; its findings come from check_host (this machine),
                  check_backends (Postgres, Redis), check_instances and check_units (systemd)
    finding       one finding of `check`
    account       shared by the commands for accounts
    archives      shared by `backup` and `restore`: progress, passphrases, errors
    user, invitation, claim, guild, migrate, stats, backup, restore, import_, export, clear_redis,
    completion   the commands

A command works on the servers in DATABASE_URL and REDIS_URL, while instances run. Without these
settings it uses the private Postgres and Valkey of the data folder. It shares those of a running
chatd, or starts them for as long as it takes. Changes go through the services, as requests do, so
their events reach every instance. For that, a command leases the highest free WORKER_ID.

Exit codes: 0 success; 1 failure, or a failed check; 2 usage error, or invalid settings.
"""
