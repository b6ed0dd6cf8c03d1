#!/usr/bin/env python3
"""Trains the same network with mnistry and with its peers, and compares them.

    python3 benches/peers/run.py --setup                # make the peers' environments
    python3 benches/peers/run.py --data mnist.npz       # measure

Programs run one at a time, in turn, in several rounds, each round starting with
another one; what is compared are medians. Writes `peers.md` and `peers.json` to
the results folder. Needs Python 3.9, and nothing else to measure.
"""

import argparse
import json
import pathlib
import shlex
import subprocess
import sys

import measure
import programs
import table


def arguments():
    everyone = [programs.Ours.name] + [peer.name for peer in programs.PEERS]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--setup", action="store_true",
                        help="install and build the chosen peers that are missing")
    parser.add_argument("--data", type=pathlib.Path,
                        help="mnist.npz, or the folder that holds it")
    parser.add_argument("--only", nargs="+", choices=everyone, default=everyone,
                        metavar="NAME", help="some of: " + ", ".join(everyone))
    parser.add_argument("--models", nargs="+", choices=["mlp", "lenet5"], default=["mlp"],
                        help="mlp (default), lenet5")
    parser.add_argument("--batch-sizes", nargs="+", type=positive, default=[32, 128, 512],
                        metavar="N", help="default 32 128 512")
    parser.add_argument("--epochs", type=positive, default=5, metavar="N", help="default 5")
    parser.add_argument("--threads", type=positive, default=2, metavar="N", help="default 2")
    parser.add_argument("--rounds", type=positive, default=5, metavar="N", help="default 5")
    parser.add_argument("--timeout", type=positive, default=600, metavar="SECONDS",
                        help="for one run; default 600")
    parser.add_argument("--mnistry", type=pathlib.Path, default=programs.Ours.binary,
                        metavar="PATH", help="default target/release/mnistry")
    parser.add_argument("--results", type=pathlib.Path, default=programs.HERE / "results",
                        metavar="DIR", help="default benches/peers/results")
    options = parser.parse_args()
    if not options.setup and not options.data:
        parser.error("--data is needed to measure, or --setup to prepare")
    if options.data and not options.data.exists():
        parser.error(f"--data {options.data}: no such file or folder")
    return options


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not positive")
    return number


def say(text):
    print(text, file=sys.stderr, flush=True)


def set_up(chosen):
    """Makes the peers that are missing; returns whether all went well."""
    well = True
    for program in chosen:
        if program in programs.PEERS and program.missing():
            say(f"{program.name}: setting up")
            try:
                program.set_up()
            except (subprocess.CalledProcessError, OSError) as error:
                say(f"{program.name}: not set up: {error}")
                well = False
    return well


def left_out(chosen):
    """Why some of them cannot be run, by name."""
    return {program.name: program.missing() for program in chosen if program.missing()}


def works(options, data):
    return [programs.Work(data, model, batch_size, options.epochs, options.threads)
            for model in options.models for batch_size in options.batch_sizes]


def measured(options, chosen, runs):
    """Runs everything, adding to `runs`; returns whether every run gave a result."""
    well = True
    for number in range(options.rounds):
        first = number % len(chosen)
        for work in works(options, options.data.resolve()):
            for program in chosen[first:] + chosen[:first]:
                if work.model not in program.models:
                    continue
                label = f"round {number + 1}, {work.model}, batch {work.batch_size}: {program.name}"
                try:
                    result = measure.run(program, work, number, options.timeout)
                except measure.Failed as error:
                    say(f"{label}: FAILED: {error}")
                    well = False
                    continue
                disturbed = result["disturbance"] > table.DISTURBED
                say(f"{label}: {result['train_seconds']:.2f} s"
                    + (f" (disturbed: {result['disturbance']:.0%})" if disturbed else ""))
                runs.append({"round": number + 1, "name": program.name, "model": work.model,
                             "batch_size": work.batch_size, **result})
    return well


def write(options, chosen, missing, runs):
    """Writes the page and the raw numbers, and prints the page."""
    settings = {"command": shlex.join(["python3", *sys.argv]), "rounds": options.rounds,
                "epochs": options.epochs, "threads": options.threads, "left_out": missing}
    description = table.machine()
    text = table.page(description, settings, chosen, runs)
    raw = {"machine": description, **settings, "runs": runs}
    options.results.mkdir(parents=True, exist_ok=True)
    (options.results / "peers.md").write_text(text)
    (options.results / "peers.json").write_text(json.dumps(raw, indent=1) + "\n")
    print(text)


def main():
    options = arguments()
    everyone = [programs.Ours(options.mnistry.resolve()), *programs.PEERS]
    chosen = [program for program in everyone if program.name in options.only]
    well = set_up(chosen) if options.setup else True
    if not options.data:
        return 0 if well else 1

    missing = left_out(chosen)
    for name, reason in missing.items():
        say(f"{name}: LEFT OUT: {reason}")
    chosen = [program for program in chosen if program.name not in missing]
    if not chosen:
        return 1
    measure.bind(options.threads)
    runs = []
    try:
        well = measured(options, chosen, runs) and well
    finally:
        if runs:
            write(options, chosen, missing, runs)
    return 0 if well else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("stopped")
