"""How fast chatd is, beside what nothing on the same libraries can be faster than.

`scripts/bench` starts a private Postgres and Valkey, the server that is measured and the bare
programs of `bare/` on one core. This process is the load generator, alone on the other core. The
server and its bare limit take turns, so that both see the same machine.

    __main__   arguments, the order of things        report     the table
    adapters   how to start and use a server         filling    chatd's accounts, guilds, history
    http, sockets     the two protocols, bare        meters     CPU, memory, cores
    stage      the servers, as processes             measuring  laps, and whose figures they are
    create, fan_out (audience), history, connect, growth        the workloads
    plans      how much of them is measured          profiler, profiled, sampled
                                                                where the time goes

Another server is measured through an adapter, a few lines beside this package or anywhere else:
see `adapters`.
"""
