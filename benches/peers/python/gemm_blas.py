"""Matrix products on one thread: mnistry's engine against MKL and OpenBLAS.

    python gemm_blas.py

The products are those of `mnistry bench --only gemm`. A round is one run of that and, for
each product, as many turns of a few milliseconds of the two libraries, which alternate;
it gives a median for each of the four. Prints, in 10⁹ operations a second, the median of the
rounds and in brackets their quartiles. A call from Python to C costs about as much as the
smallest products, so what a call of a product without rows takes is subtracted.
"""

import argparse
import ctypes
import importlib.metadata
import json
import os
import pathlib
import subprocess
import sys
import time
from statistics import median, quantiles

# Read by MKL when it is loaded.
os.environ["MKL_THREADING_LAYER"] = "SEQUENTIAL"

import numpy as np

BINARY = pathlib.Path(__file__).resolve().parents[3] / "target" / "release" / "mnistry"
# As in `mnistry bench`.
TURNS, TURN_SECONDS = 21, 0.004
ROW_MAJOR, AS_IT_IS, TRANSPOSED = 101, 111, 112


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnistry", type=pathlib.Path, default=BINARY, metavar="PATH",
                        help="default target/release/mnistry")
    parser.add_argument("--rounds", type=int, default=9, metavar="N", help="default 9, at least 2")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE",
                        help="write the rate of every round here too")
    options = parser.parse_args()
    if options.rounds < 2:
        parser.error("--rounds: quartiles need two at least")
    return options


def library(package, stem):
    """The shared library of an installed package whose name begins with `stem`."""
    for file in importlib.metadata.files(package):
        if file.name.startswith(stem) and not file.name.endswith((".a", ".lib")):
            return ctypes.CDLL(str(file.locate().resolve()))
    sys.exit(f"{package} has no {stem}")


def libraries():
    """`cblas_sgemm` of each library, by a title with its version."""
    mkl = library("mkl", "libmkl_rt")
    openblas = library("scipy-openblas32", "libscipy_openblas")
    openblas.scipy_openblas_set_num_threads(1)
    return {f"MKL {importlib.metadata.version('mkl')}": mkl.cblas_sgemm,
            f"OpenBLAS {importlib.metadata.version('scipy-openblas32')}":
                openblas.scipy_cblas_sgemm}


class Product:
    """A product's operands and result, and the arguments of `cblas_sgemm` for it."""

    def __init__(self, shape):
        self.m, self.n, self.k = m, n, k = shape["m"], shape["n"], shape["k"]
        self.formula = shape["operands"]
        left, right = "Aᵀ" in self.formula, "Bᵀ" in self.formula
        random = np.random.default_rng(0)
        self.a = random.random((k, m) if left else (m, k), np.float32) - np.float32(0.5)
        self.b = random.random((n, k) if right else (k, n), np.float32) - np.float32(0.5)
        self.c = np.full((m, n), np.nan, np.float32)
        self.expected = (self.a.T if left else self.a) @ (self.b.T if right else self.b)

        def with_rows(rows):
            number, pointer = ctypes.c_int, ctypes.c_void_p
            return (number(ROW_MAJOR), number(TRANSPOSED if left else AS_IT_IS),
                    number(TRANSPOSED if right else AS_IT_IS), number(rows), number(n), number(k),
                    ctypes.c_float(1), pointer(self.a.ctypes.data), number(m if left else k),
                    pointer(self.b.ctypes.data), number(k if right else n),
                    ctypes.c_float(0), pointer(self.c.ctypes.data), number(n))

        self.call, self.empty_call = with_rows(m), with_rows(0)

    def check(self, title, sgemm):
        self.c.fill(np.nan)
        sgemm(*self.call)
        if not np.allclose(self.c, self.expected, atol=1e-3):
            sys.exit(f"{title} computes another product")


def seconds_a_call(function, arguments, calls):
    start = time.perf_counter()
    for _ in range(calls):
        function(*arguments)
    return (time.perf_counter() - start) / calls


def turns(functions, shape):
    """The median rate of each library, which alternate."""
    product = Product(shape)
    contestants = {}
    for title, sgemm in functions.items():
        product.check(title, sgemm)
        once = seconds_a_call(sgemm, product.call, 1)
        contestants[title] = (sgemm, product.call, max(1, int(TURN_SECONDS / once)))
    # OpenBLAS, the last, returns at once where there are no rows.
    contestants["a call"] = (sgemm, product.empty_call, 500)
    seconds = {title: [] for title in contestants}
    for _ in range(TURNS):
        for title, contestant in contestants.items():
            seconds[title].append(seconds_a_call(*contestant))
    a_call = median(seconds.pop("a call"))
    operations = 2 * product.m * product.n * product.k
    return {title: operations / (median(its) - a_call) / 1e9 for title, its in seconds.items()}


def ours(options):
    """The report of `mnistry bench` about products."""
    output = subprocess.run([options.mnistry, "bench", "--only", "gemm", "--threads", "1",
                             "--json"], check=True, capture_output=True).stdout
    return json.loads(output)["gemm"]


def measured(options):
    """The rates of all rounds, by product and contestant."""
    functions = libraries()
    rates = {}
    for number in range(options.rounds):
        for shape in ours(options):
            name = tuple(shape[part] for part in ("operands", "m", "n", "k"))
            one = {"mnistry": shape["gflops"],
                   "matrixmultiply": shape["matrixmultiply_gflops"], **turns(functions, shape)}
            for title, rate in one.items():
                rates.setdefault(name, {}).setdefault(title, []).append(rate)
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
    return rates


def main():
    options = arguments()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    rates = measured(options)
    titles = list(next(iter(rates.values())))
    print("| product | " + " | ".join(titles) + " |\n| --- |" + " ---: |" * len(titles))
    for (formula, m, n, k), by_title in rates.items():
        cells = []
        for its in by_title.values():
            low, _, high = quantiles(its, n=4, method="inclusive")
            cells.append(f"{median(its):.1f} [{low:.1f}, {high:.1f}]")
        print(f"| {formula} {m} × {n} × {k} | " + " | ".join(cells) + " |")
    if options.json:
        raw = [dict(zip(("operands", "m", "n", "k"), name), gflops=by_title)
               for name, by_title in rates.items()]
        options.json.write_text(json.dumps(raw, indent=1) + "\n")


if __name__ == "__main__":
    main()
