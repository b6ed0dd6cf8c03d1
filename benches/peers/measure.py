"""Runs a program once and measures the whole process. Standard library only."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

# What ru_maxrss counts in.
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


class Failed(Exception):
    """A run that gave no result, in one line."""


def bind(threads):
    """Binds this process, and those that it starts, to as many processors as threads.

    Some libraries have no option for threads, others have more than one pool.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def run(program, work, seed, timeout):
    """Runs `program` once; returns its own report with what is measured from outside.

    `total_seconds` is from the start of the process to its end, `peak_memory_bytes`
    its largest resident set, and `disturbance` (Linux) the share of all processors
    that was busy with something else meanwhile. Raises Failed.
    """
    # Read by the libraries behind scikit-learn, candle and burn.
    environment = dict(os.environ, RAYON_NUM_THREADS=str(work.threads),
                       OMP_NUM_THREADS=str(work.threads))
    with tempfile.TemporaryDirectory() as folder, \
            open(pathlib.Path(folder, "stdout"), "w+") as out, \
            open(pathlib.Path(folder, "stderr"), "w+") as err:
        command = [str(part) for part in program.command(work, pathlib.Path(folder, "run"), seed)]
        wake(work.threads)
        busy = busy_seconds()
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                   env=environment)
        usage = wait(process, timeout)
        total_seconds = time.perf_counter() - start
        elsewhere = busy_seconds() - busy - usage.ru_utime - usage.ru_stime
        out.seek(0)
        err.seek(0)
        if process.returncode != 0:
            raise Failed(f"exit code {process.returncode}: {message(err.read())}")
        result = parse(out.read())
    result.update(total_seconds=total_seconds, peak_memory_bytes=usage.ru_maxrss * MAXRSS_UNIT,
                  disturbance=max(0.0, elsewhere / (total_seconds * os.cpu_count())))
    return result


def wake(processors):
    """Keeps the processors busy for a second.

    Those of a virtual machine come back from idleness slowly, which would count
    against short runs.
    """
    spin = "import time; end = time.monotonic() + 1\nwhile time.monotonic() < end: pass"
    spinners = [subprocess.Popen([sys.executable, "-c", spin]) for _ in range(processors)]
    for spinner in spinners:
        spinner.wait()


def busy_seconds():
    """What all processors have worked since the system started, or 0 where that is unknown."""
    try:
        with open("/proc/stat") as file:
            user, nice, system, _idle, _wait, *rest = map(int, file.readline().split()[1:9])
    except OSError:
        return 0.0
    # The rest: interrupts, and what a hypervisor gave to others.
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


def wait(process, timeout):
    """Waits for the end of `process` and returns its resource usage."""
    late = threading.Event()

    def stop():
        late.set()
        os.kill(process.pid, signal.SIGKILL)

    timer = threading.Timer(timeout, stop)
    timer.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
    finally:
        timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    if late.is_set():
        raise Failed(f"stopped after {timeout} s")
    return usage


def message(errors):
    """The line that says most: Rust's comes first, Python's last."""
    lines = errors.strip().splitlines() or ["no message"]
    return next((line for line in lines if line.lower().startswith("error")), lines[-1])


def parse(output):
    """The numbers of a program's report: ours has its accuracy under `test`."""
    try:
        report = json.loads(output)
        accuracy = report["test"]["accuracy"] if "test" in report else report["test_accuracy"]
        result = {"train_seconds": float(report["train_seconds"]),
                  "test_accuracy": float(accuracy)}
    except json.JSONDecodeError:
        raise Failed("its stdout is not one JSON object") from None
    except (KeyError, TypeError, ValueError) as error:
        raise Failed(f"its report lacks a number: {error!r}") from None
    for optional in ("compile_seconds", "version"):
        if optional in report:
            result[optional] = report[optional]
    return result
