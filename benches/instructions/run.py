#!/usr/bin/env python3
"""How many instructions the hot kernels take, which no load and no neighbour changes.

    python3 benches/instructions/run.py [--binary target/release/mnistry] [--record]

Three small trainings on one thread with the AVX2 kernels, under valgrind's callgrind. What callgrind counts of
each compiled kernel is added up by what the kernel does, which the source files that were inlined into
it tell, and compared with counts.json: a change of more than 2 % is printed. It need not be a fault:
another compiler, or a kernel that takes more instructions and less time, changes counts too. A kernel that
is missing or not expected is one: the exit code is 1. --record writes them anew.
"""

import argparse
import json
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

EXPECTED = Path(__file__).with_name("counts.json")
# More is printed.
CHANGE = 0.02

SIDE = 28
TRAININGS = {
    "dense": (256, ["--hidden", "128"]),
    "lenet5": (96, ["--model", "lenet5"]),
    "cnn": (32, ["--model", "cnn"]),
}

# A compiled kernel is the first of these whose files all are in it. What a dense layer does is compiled for
# sparse and dense inputs together; which of them it has, the training decides.
KERNELS = [
    ("convolution, gradient of the kernel", ["kernels/conv/gradient.rs"]),
    ("convolution, gradient of many filters", ["kernels/conv/filter_gradient.rs"]),
    ("minimal filtering, gradient of the kernel", ["kernels/conv/winograd/gradient.rs"]),
    ("minimal filtering, weights", ["kernels/conv/winograd/weights.rs"]),
    ("convolution forward", ["kernels/conv/correlate.rs", "exec/layers/activation.rs"]),
    ("convolution, gradient of the inputs", ["kernels/conv/correlate.rs"]),
    ("minimal filtering, gradient of the inputs", ["kernels/conv/winograd/correlate.rs"]),
    ("sparse gradient, with Adam", ["kernels/sparse/gradient.rs", "kernels/optim/adam.rs"]),
    ("sparse forward", ["kernels/sparse/forward.rs"]),
    ("sparse, transposing images", ["kernels/sparse/columns.rs"]),
    ("softmax and cross-entropy", ["kernels/ops/softmax.rs"]),
    ("GEMM, gradient of weights, with Adam", ["kernels/gemm/micro_kernel.rs", "kernels/optim/adam.rs"]),
    ("GEMM, forward and gradient of inputs", ["kernels/gemm/micro_kernel.rs"]),
    ("Adam by itself", ["kernels/optim/adam.rs"]),
]
# Where every kernel is compiled for AVX2, by its mangled name.
COMPILED = re.compile(r"simd.*avx2.*vectorize.*enabled")


def write_images(folder):
    """Strokes at random places, the same each time, as files of MNIST's kind."""
    rng = random.Random(0)

    def image():
        pixels = bytearray(SIDE * SIDE)
        for _ in range(3):
            x, y = rng.uniform(7, 20), rng.uniform(7, 20)
            across, down = rng.uniform(-0.8, 0.8), rng.uniform(-0.8, 0.8)
            for step in range(40):
                column, row = int(x + across * step / 4), int(y + down * step / 4)
                if 4 <= column < 24 and 4 <= row < 24:
                    pixels[row * SIDE + column] = rng.randrange(64, 256)
        return bytes(pixels)

    count = max(images for images, _ in TRAININGS.values())
    for name, images in (("train", count), ("t10k", 32)):
        pixels = b"".join(image() for _ in range(images))
        header = struct.pack(">4B3I", 0, 0, 8, 3, images, SIDE, SIDE)
        (folder / f"{name}-images-idx3-ubyte").write_bytes(header + pixels)
        header = struct.pack(">4BI", 0, 0, 8, 1, images)
        labels = bytes(index % 10 for index in range(images))
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(header + labels)


def count(binary, folder, training):
    """Instructions of each compiled kernel in one training, by source file."""
    images, arguments = TRAININGS[training]
    out = folder / f"{training}.callgrind"
    command = ["valgrind", "--tool=callgrind", "--demangle=no", f"--callgrind-out-file={out}"]
    command += [binary, "train", "--data", folder, "--train-limit", str(images), *arguments]
    command += ["--epochs", "1", "--threads", "1", "--quiet", "--run-dir", folder / training]
    environment = {**os.environ, "MNISTRY_ISA": "avx2"}
    ended = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True)
    if ended.returncode != 0:
        sys.exit(f"{training} under valgrind ended with {ended.returncode}:\n{ended.stderr[-2000:]}")
    return by_function(out.read_text().splitlines())


def by_function(lines):
    """A function: its own instructions by source file, from lines in callgrind's format."""
    names, costs = {}, defaultdict(Counter)
    function = file = None
    is_call = False
    for line in lines:
        if found := re.match(r"(c?)(ob|fn|fl|fi|fe)=\((\d+)\)(?: (.+))?$", line):
            calls, key, number, name = found.groups()
            kind = key if key in ("ob", "fn") else "file"
            if name:
                names[kind, number] = name
            if not calls and kind == "fn":
                function = names[kind, number]
            elif not calls and kind == "file":
                file = names[kind, number]
        elif found := re.match(r"cf[il]=\((\d+)\) (.+)$", line):
            names["file", found[1]] = found[2]
        elif line.startswith("calls="):
            is_call = True
        elif re.match(r"[+\-*\d]", line):
            # What follows `calls` is what the function that was called took.
            if not is_call:
                costs[function][file] += int(line.split()[1])
            is_call = False
    return costs


def by_kernel(costs):
    totals = Counter()
    for function, files in costs.items():
        if COMPILED.search(function):
            has = lambda end: any(file.endswith(f"src/{end}") for file in files)
            kernel = next((name for name, parts in KERNELS if all(map(has, parts))), None)
            if kernel:
                totals[kernel] += files.total()
    return totals


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--binary", default="target/release/mnistry")
    parser.add_argument("--record", action="store_true", help="write what is counted as what is expected")
    arguments = parser.parse_args()
    counted = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        write_images(folder)
        for training in TRAININGS:
            kernels = by_kernel(count(Path(arguments.binary).resolve(), folder, training))
            counted |= {f"{training}: {kernel}": total for kernel, total in sorted(kernels.items())}
    if not counted:
        sys.exit("no kernel was found in what callgrind counted: has the program its symbols and lines?")
    if arguments.record:
        EXPECTED.write_text(json.dumps(counted, indent=2) + "\n")
    expected = json.loads(EXPECTED.read_text())
    width = max(map(len, expected | counted))
    changed = strange = 0
    for kernel in expected | counted:
        old, new = expected.get(kernel), counted.get(kernel)
        if not old or not new:
            strange += 1
            print(f"{kernel:<{width}}  {'not there any more' if old else 'not expected'}")
            continue
        change = new / old - 1
        is_changed = abs(change) > CHANGE
        changed += is_changed
        print(f"{kernel:<{width}}  {new:>12,}  {change:>+7.2%}{'  CHANGED' if is_changed else ''}")
    print(f"{changed} of {len(expected | counted)} changed by more than {CHANGE:.0%}")
    if strange:
        sys.exit(f"{strange} kernels are missing or not expected: if that is meant, --record writes them anew")


if __name__ == "__main__":
    main()
