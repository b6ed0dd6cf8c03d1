"""What the Python peers share: the arguments, MNIST from mnist.npz and the line
of JSON that every peer prints.

The run is the same everywhere: 784 - 100 relu - 10 (or LeNet-5), softmax
cross-entropy on the logits, Adam, shuffled minibatches, the last one short.
"""

import argparse
import json
import pathlib
from dataclasses import dataclass

import numpy as np

PIXELS, HIDDEN, CLASSES = 784, 100, 10
LEARNING_RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-7


def arguments(description, models=("mlp",)):
    """The arguments that every peer takes; `models` are those that it has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", required=True, type=pathlib.Path,
                        help="folder that holds mnist.npz, or the file itself")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model", choices=models, default="mlp")
    return parser.parse_args()


@dataclass
class Mnist:
    """Pixels as f32 from 0 to 1 (samples x 784), labels as i32."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def mnist(data):
    """MNIST from `data`, a folder that holds mnist.npz or the file itself."""
    path = data / "mnist.npz" if data.is_dir() else data
    with np.load(path) as file:
        def images(name):
            return file[name].reshape(-1, PIXELS).astype(np.float32) / np.float32(255)

        return Mnist(images("x_train"), file["y_train"].astype(np.int32),
                     images("x_test"), file["y_test"].astype(np.int32))


def report(name, version, train_seconds, test_accuracy, compile_seconds=None):
    """Prints the line of JSON.

    `train_seconds` is the time of the epochs alone, without loading, compiling
    and evaluating; `compile_seconds`, where there is such a thing, comes on top.
    """
    line = {"name": name, "version": version, "train_seconds": train_seconds,
            "test_accuracy": float(test_accuracy)}
    if compile_seconds is not None:
        line["compile_seconds"] = compile_seconds
    print(json.dumps(line), flush=True)
