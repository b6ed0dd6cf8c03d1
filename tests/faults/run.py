#!/usr/bin/env python3
"""Puts the faults of faults.toml into a copy of the repository, all in one build, each asleep until it
is called by its number, and tells which of them `mnistry check` and the tests catch.

    tests/faults/run.py [--folder DIR] [--only NUMBER,NUMBER…] [--json FILE]

The copy and what is compiled for it stay in DIR (target/faults); CARGO_TARGET_DIR is heeded. Exit
code 1 where one is caught by nothing.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# What wakes a fault.
SWITCH = """
/// Which fault is awake, by its number.
pub(crate) mod fault {
    static AWAKE: std::sync::LazyLock<Option<usize>> =
        std::sync::LazyLock::new(|| std::env::var("MNISTRY_FAULT").ok()?.parse().ok());

    #[inline(always)]
    pub(crate) fn on(number: usize) -> bool {
        *AWAKE == Some(number)
    }
}
"""

# The tests that are asked, in this order, where `mnistry check` finds nothing.
TESTS = [
    "gradients",
    "lib",
    "short_minibatches",
    "fit_wiring",
    "training",
    "regularisation",
    "evaluation",
    "data_refused",
]

# Networks that `mnistry check` is given: each has what the others lack. Of the small one there are
# more cases: it takes some to meet more than 32 images most of whose pixels are black.
CHECKS = [
    f"--model networks/{model}.toml {images_and_cases} {engine}"
    for model, images_and_cases in [
        ("dense", "--images 9x7 --cases 100"),
        ("strides", "--images 11x9 --cases 30"),
        ("pooled", "--images 12x11 --cases 30"),
        ("wide", "--images 8x6 --cases 30"),
    ]
    for engine in ["--threads 1", "--threads 2", "--threads 3 --gemm matrixmultiply"]
]

# A fault may make a program wait for ever.
PATIENCE = 300


def fault(number, entry):
    """The text that stands in the place of `right`."""
    awake = f"crate::fault::on({number})"
    if "mixed" in entry:
        return entry["mixed"].replace("FAULT", awake)
    return f"(if {awake} {{ {entry['wrong']} }} else {{ {entry['right']} }})"


def copy_with(faults, tree):
    """Copies the repository to `tree`, the faults in it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True,
    ).stdout.decode()
    texts = {}
    for name in filter(None, listed.split("\0")):
        source = ROOT / name
        if source.is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            # With its time, so that nothing is compiled anew that has not changed.
            shutil.copy2(source, tree / name)
    for number, entry in enumerate(faults, 1):
        text = texts.setdefault(entry["file"], (ROOT / entry["file"]).read_text())
        if text.count(entry["right"]) != 1:
            sys.exit(f"fault {number}: its text does not stand in one place of {entry['file']}")
        texts[entry["file"]] = text.replace(entry["right"], fault(number, entry))
    texts["src/lib.rs"] = (ROOT / "src/lib.rs").read_text() + SWITCH
    for name, text in texts.items():
        (tree / name).write_text(text)


def build(tree):
    """Compiles the program and the tests; returns where they are."""
    command = ["cargo", "test", "--locked", "--no-run", "--message-format=json", "--bin", "mnistry"]
    for test in TESTS:
        command += ["--lib"] if test == "lib" else ["--test", test]
    built = subprocess.run(command, cwd=tree, stdout=subprocess.PIPE, check=True).stdout
    found = {}
    for line in built.decode().splitlines():
        message = json.loads(line)
        if message.get("reason") != "compiler-artifact" or not message.get("executable"):
            continue
        target, is_test = message["target"], message["profile"]["test"]
        kind = target["kind"][0]
        if kind == "bin" and not is_test:
            found["check"] = message["executable"]
        elif is_test and kind != "bin":
            found["lib" if kind == "lib" else target["name"]] = message["executable"]
    return found


def passes(command, number, folder):
    """Whether `command` ends well with fault `number` awake."""
    # A fault need not be found in many cases, nor in the smallest one.
    fewer = {"MNISTRY_GRADIENT_CASES": "0.1", "PROPTEST_MAX_SHRINK_ITERS": "0"}
    environment = {**os.environ, **fewer, "MNISTRY_FAULT": str(number)}
    try:
        run = subprocess.run(
            command, cwd=folder, env=environment, timeout=PATIENCE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return False
    return run.returncode == 0


def check_passes(program, number):
    """Whether `mnistry check` finds nothing."""
    return all(passes([program, "check", "--quiet", *arguments.split()], number, HERE)
               for arguments in CHECKS)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "target" / "faults")
    parser.add_argument("--only", help="numbers of faults, separated by commas")
    parser.add_argument("--json", type=pathlib.Path, help="write what was found to this file")
    arguments = parser.parse_args()
    faults = tomllib.loads((HERE / "faults.toml").read_text())["fault"]
    wanted = [int(number) for number in arguments.only.split(",")] if arguments.only else None
    tree = arguments.folder.resolve() / "tree"
    os.environ.setdefault("CARGO_TARGET_DIR", str(arguments.folder.resolve() / "target"))
    copy_with(faults, tree)
    programs = build(tree)
    tests = {test: [programs[test], "--quiet"] for test in TESTS}
    # Asleep, they change nothing.
    for test, command in tests.items():
        if not passes(command, 0, tree):
            sys.exit(f"{test} fails without a fault")
    if not check_passes(programs["check"], 0):
        sys.exit("mnistry check fails without a fault")
    found = []
    for number, entry in enumerate(faults, 1):
        if wanted and number not in wanted:
            continue
        by_check = not check_passes(programs["check"], number)
        by_test = None
        if not by_check:
            by_test = next((test for test in TESTS if not passes(tests[test], number, tree)), None)
        found.append({"number": number, **entry, "check": by_check, "test": by_test})
        said = f"{'check' if by_check else '–':<6} {by_test or '–':<18}"
        print(f"{number:>3}  {said} {entry['file']}: {entry['what']}", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    alive = [entry for entry in found if not entry["check"] and not entry["test"]]
    survivors = [entry for entry in alive if "harmless" not in entry]
    by_check = sum(entry["check"] for entry in found)
    by_tests = sum(entry["test"] is not None for entry in found)
    print(f"{len(found)} faults: {by_check} caught by mnistry check, {by_tests} more by the tests, "
          f"{len(alive) - len(survivors)} harmless, {len(survivors)} by nothing")
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
