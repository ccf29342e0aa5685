"""The commands besides `serve`: what a person or a script does to a server, a module per noun.

    command   what all share: settings, complaints, exit codes; light, so that --help is quick
    output    tables on a terminal, plain lines elsewhere, JSON when asked for
    running   the way to the databases, and from there through the services to every instance
    findings  what `check` looks at

A command works beside running servers on what DATABASE_URL and REDIS_URL name. Without them it
takes the private Postgres and Valkey of the data folder: those that a running chatd has started,
or its own for as long as it takes. It changes things by the services, as requests do; the events
reach every instance. For that it borrows the highest WORKER_ID that is free.

Exit codes: 0 done; 1 refused or found wanting; 2 misused, or settings that cannot be.
"""
