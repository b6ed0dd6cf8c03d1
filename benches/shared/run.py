#!/usr/bin/env python3
"""How long a training takes on a machine that others use too, by how many threads it is given.

    python3 benches/shared/run.py --data MNIST-FOLDER [--rounds 20] [--batch 32]
        [--binary target/release/mnistry] [--old OTHER-BINARY] [--situation NAME ...]

Each round goes through all situations, and in each through all contestants in turn: `--threads` 1, 2
... and auto. What is told is `train_seconds` of five epochs: the median, the worst, and both relative to
the best fixed number of threads. It takes a quiet machine: the busy loops are its own.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager

BUSY = "while True: pass"
CPU_GROUPS = "/sys/fs/cgroup/cpu"


@contextmanager
def busy_loops(cpus):
    """A busy loop for each of `cpus`: pinned to that one, or free where it is None."""
    loops = []
    for cpu in cpus:
        pin = None if cpu is None else (lambda cpu=cpu: os.sched_setaffinity(0, {cpu}))
        loops.append(subprocess.Popen([sys.executable, "-c", BUSY], preexec_fn=pin))
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def quota_group(cores):
    """A control group (version 1) that may use so many cores' time; None where that is not ours to make."""
    path = f"{CPU_GROUPS}/mnistry-quota"
    try:
        os.makedirs(path, exist_ok=True)
        for name, value in (("period", 100_000), ("quota", int(100_000 * cores))):
            with open(f"{path}/cpu.cfs_{name}_us", "w") as file:
                file.write(str(value))
        return path
    except OSError:
        return None


# Name: busy loops, trainings at once, quota in cores.
SITUATIONS = {
    "alone": ([], 1, None),
    "a busy loop": ([None], 1, None),
    "a busy loop, pinned": ([0], 1, None),
    "two busy loops": ([None, None], 1, None),
    "two busy loops, pinned": ([0, 1], 1, None),
    "two trainings": ([], 2, None),
    "four trainings": ([], 4, None),
    "a quota of one core": ([], 1, 1.0),
    "a quota of 1.5 cores": ([], 1, 1.5),
}


def train(contestant, options, folder, together, quota):
    """`train_seconds` of so many trainings at once."""
    group = quota and quota_group(quota)

    def enter():
        if group:
            with open(f"{group}/cgroup.procs", "w") as file:
                file.write(str(os.getpid()))

    binary, threads = contestant
    command = [binary, "train", "--data", options.data, "--json", "--quiet", "--epochs", str(options.epochs)]
    command += ["--batch-size", str(options.batch), "--model", options.model]
    command += ["--threads", threads] if threads else []
    runs = [
        subprocess.Popen(
            [*command, "--run-dir", f"{folder}/{number}"], stdout=subprocess.PIPE, preexec_fn=enter
        )
        for number in range(together)
    ]
    return [json.loads(run.communicate()[0])["train_seconds"] for run in runs]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--binary", default="target/release/mnistry")
    parser.add_argument("--old", help="another binary, whose default is a contestant too")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--model", default="mlp")
    parser.add_argument("--situation", action="append", choices=SITUATIONS)
    options = parser.parse_args()

    cores = os.cpu_count()
    fixed = [str(threads) for threads in (1, 2, 4, 8, 16, 32, 64, 128) if threads <= cores]
    contestants = {f"--threads {threads}": (options.binary, threads) for threads in fixed}
    contestants["auto"] = (options.binary, None)
    if options.old:
        contestants["old"] = (options.old, None)

    names = options.situation or list(SITUATIONS)
    if not quota_group(1.0):
        print("left out: quotas, which take the right to make a control group (version 1)", file=sys.stderr)
        names = [name for name in names if SITUATIONS[name][2] is None]
    seconds = {name: {contestant: [] for contestant in contestants} for name in names}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds):
            for name in names:
                cpus, together, quota = SITUATIONS[name]
                with busy_loops(cpus):
                    for label, contestant in contestants.items():
                        seconds[name][label] += train(contestant, options, folder, together, quota)

    if os.path.isdir(f"{CPU_GROUPS}/mnistry-quota"):
        os.rmdir(f"{CPU_GROUPS}/mnistry-quota")
    print(f"| {options.model}, {options.batch} | " + " | ".join(contestants) + " |")
    print("| --- |" + " --- |" * len(contestants))
    for name, found in seconds.items():
        best = min(statistics.median(found[label]) for label in list(contestants)[: len(fixed)])
        cells = []
        for times in found.values():
            median, worst = statistics.median(times), max(times)
            cells.append(f"{median:.2f} s ({median / best:.2f} ×), worst {worst:.2f} s ({worst / best:.1f} ×)")
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
