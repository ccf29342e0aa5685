"""Measurements of chatd beside a lower bound: minimal programs on the same libraries.

`scripts/bench` starts a private Postgres and Valkey, the server that is measured and the bare
programs of `bare/` on one core. This process is the load generator, alone on the other core. The
server and the bare program are measured in turns, so that both see the same load of the machine.

    __main__   arguments, order of the workloads     report     the table
    machine    what the figures depend on
    adapters   how to start and use a server         seeding    chatd's accounts, guilds, history
    http, sockets     clients of both protocols      meters     CPU, memory, cores
    environment       the servers, as processes      measuring  laps and their figures
    create, fan_out (audience), history, connect, growth        the workloads
    curves (crowded_guild, holds)   how the work in one guild grows, a part of `growth`
    capacity (population, people, open_loop)                    how many people a core serves
    plans      how much of them is measured          profiler, profiled, sampled
                                                                where the CPU time goes

An adapter of a few lines measures another server: see `adapters`.
"""
