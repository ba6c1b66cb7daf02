"""`antspy study`: how do time and memory compare without a pool, with the default pool, and with
pools of 10,000 and 1,000?

The processes, and where each is described:

    study.py             the command: starts the others one after the other
      server.py          answers each request after the delay
      server_rate.py     measures the server by itself
      measurement.py     runs one configuration, in a fresh interpreter, and measures it
        client.py          makes the request of one job: pycurl, http.client, or, as it does by default,
        socket_client.py   a socket with the parser httptools
        variant.py         hands out the jobs: with a pool, a thread a job, or by hand
        work.py            one job, the WaitGroup that joins them, and why jobs failed
      go/                the same in Go, with ants: its main.go says how

What they pass on, and how it is shown:

    options.py           what the user chooses
    configuration.py     one row of the table, before it runs
    result.py            one row, after it ran
    outcome.py           all rows, the server and the machine: study.json
    progress.py  table.py  picture.py

What is beside it:

    go_program.py        builds go/ for `--against go`
    cluster_measurement.py   as measurement.py, for a pool on a cluster: `--cluster local`
    cluster_work.py      its jobs
    rival.py             what came of the other side, and the ratios
    published.py         the figures of the Go study
    limits.py            what the operating system allows
    machine.py           the machine's facts
    child.py  lifeline.py    a process that never outlives the command
    message.py           what it says
"""
