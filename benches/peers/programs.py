"""The programs that are compared: ours and its peers, how each is started and,
for the peers, how its environment is made. Standard library only.
"""

import os
import pathlib
import shutil
import subprocess
import sys
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
ENVIRONMENTS = HERE / ".venv"
RUST = HERE / "rust"


@dataclass(frozen=True)
class Work:
    """One thing to train."""

    data: pathlib.Path
    model: str
    batch_size: int
    epochs: int
    threads: int


@dataclass(frozen=True)
class PythonPeer:
    """A script in python/, run in an environment of its own."""

    name: str
    title: str
    models: tuple
    # Whose script it is, where another version has the same.
    script: str = ""
    # What it calls while it runs, to compile its kernels.
    compiler: str = ""

    @property
    def interpreter(self):
        folder = ENVIRONMENTS / self.name
        return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def requirements(self):
        return HERE / "python" / "requirements" / f"{self.name}.txt"

    @property
    def installed_requirements(self):
        """A copy of the requirements, written when they have been installed."""
        return ENVIRONMENTS / self.name / "installed.txt"

    def missing(self):
        """Why it cannot be run, or None."""
        wanted = self.requirements.read_text()
        if not self.interpreter.exists() or not self.installed_requirements.exists():
            return "not installed: run with --setup"
        if self.installed_requirements.read_text() != wanted:
            return "installed for other requirements: run with --setup"
        if self.compiler and not shutil.which(self.compiler):
            return f"needs {self.compiler}"
        return None

    def set_up(self):
        """Makes the environment. Raises CalledProcessError if that fails."""
        subprocess.run([sys.executable, "-m", "venv", self.interpreter.parent.parent], check=True)
        subprocess.run([self.interpreter, "-m", "pip", "install", "--quiet",
                        "-r", self.requirements], check=True)
        self.installed_requirements.write_text(self.requirements.read_text())

    def command(self, work, _run_dir, _seed):
        script = HERE / "python" / f"peer_{self.script or self.name}.py"
        return [self.interpreter, script, *peer_arguments(work)]


@dataclass(frozen=True)
class RustPeer:
    """A package of the workspace in rust/."""

    name: str
    title: str
    models: tuple

    @property
    def binary(self):
        return RUST / "target" / "release" / f"peer-{self.name}"

    def missing(self):
        """Why it cannot be run, or None."""
        return None if self.binary.exists() else "not built: run with --setup"

    def set_up(self):
        """Builds it. Raises CalledProcessError if that fails."""
        # One package at a time: together they would get each other's features.
        subprocess.run(["cargo", "build", "--release", "--locked", "-p", f"peer-{self.name}",
                        "--target-dir", RUST / "target"], check=True, cwd=RUST)

    def command(self, work, _run_dir, _seed):
        return [self.binary, *peer_arguments(work)]


@dataclass(frozen=True)
class Ours:
    """mnistry itself."""

    binary: pathlib.Path = REPOSITORY / "target" / "release" / "mnistry"
    name: str = "mnistry"
    title: str = "mnistry"
    models: tuple = ("mlp", "lenet5")

    def missing(self):
        """Why it cannot be run, or None."""
        return None if self.binary.exists() else f"{self.binary} is missing: cargo build --release"

    def command(self, work, run_dir, seed):
        model = [] if work.model == "mlp" else ["--model", work.model]
        return [self.binary, "train", *model, "--data", work.data, "--epochs", work.epochs,
                "--batch-size", work.batch_size, "--threads", work.threads, "--seed", seed,
                "--quiet", "--json", "--run-dir", run_dir]


def peer_arguments(work):
    return ["--data", work.data, "--model", work.model, "--batch-size", work.batch_size,
            "--epochs", work.epochs, "--threads", work.threads]


PEERS = (
    PythonPeer("jax", "JAX, an epoch in one `lax.scan`", ("mlp", "lenet5")),
    PythonPeer("jax-0.4", "JAX without XLA's thunks", ("mlp", "lenet5"), script="jax"),
    PythonPeer("mlx", "MLX on CPU, compiled step", ("mlp",), compiler="g++"),
    PythonPeer("tinygrad", "tinygrad on CPU, `TinyJit`", ("mlp",),
               compiler=os.environ.get("CC", "clang")),
    PythonPeer("sklearn", "scikit-learn, `MLPClassifier`", ("mlp",)),
    PythonPeer("torch", "PyTorch, eager, fused Adam", ("mlp", "lenet5")),
    PythonPeer("keras", "Keras on TensorFlow, `fit`", ("mlp", "lenet5")),
    RustPeer("candle", "candle, its CPU backend", ("mlp", "lenet5")),
    RustPeer("burn", "burn, flex backend", ("mlp", "lenet5")),
)
