"""A golden run of LeNet-5: real Keras from given weights, to be replayed.

    python lenet5_golden.py --output tests/fixtures/lenet5_golden

Twenty steps of Adam at batch 32 over 640 images in their order, inputs x/255 as
f32. The images are generated (see `generated`), so that a replay makes them from
`expected.json` alone; with `--data` they are the first 640 of MNIST instead.

Writes `init.safetensors` and `final.safetensors`, Keras's names and layouts
(kernels height x width x in x out, flattened activations height x width x
channels), and `expected.json`:
the settings, the recipe and the checksum of the images, the loss of each step
before its update, how far each tensor has moved after the last, and what the
trained network makes of the first images.
"""

import argparse
import hashlib
import json
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from safetensors.numpy import save_file

import common
import lenet5

SEED, BATCH_SIZE, STEPS, PREDICTIONS = 0, 32, 20, 4
SAMPLES = BATCH_SIZE * STEPS
MASKS = [0x0FF0, 0x1248, 0x6996, 0x8421, 0xF00F, 0x3C3C, 0x9669, 0xCC33, 0x5AA5, 0xE817]
RECIPE = [
    "next(): state = (state * 1664525 + 1013904223) mod 2^32, starting from 0; gives state >> 24",
    "for each image: label = next() mod 10, then its pixels row by row, each with byte = next()",
    "the image is a grid of 4 x 4 cells of 7 x 7 pixels;"
    " cell = 4 * (row div 7) + (column div 7) is lit where bit `cell` of masks[label] is set",
    "pixel in a lit cell: 128 + byte div 2; elsewhere: byte if byte >= 224, else 0",
]


def generated():
    """The images (samples x 28 x 28, u8) and labels (u8) of RECIPE."""
    state = 0

    def following():
        nonlocal state
        state = (state * 1664525 + 1013904223) % 2**32
        return state >> 24

    images = np.zeros((SAMPLES, 28, 28), np.uint8)
    labels = np.zeros(SAMPLES, np.uint8)
    for image, _ in enumerate(labels):
        labels[image] = following() % common.CLASSES
        for row, column in np.ndindex(28, 28):
            byte = following()
            lit = MASKS[labels[image]] >> (4 * (row // 7) + column // 7) & 1
            images[image, row, column] = 128 + byte // 2 if lit else byte if byte >= 224 else 0
    return images, labels


def first_of_mnist(data):
    """The first images and labels of the training set, as `generated` has them."""
    path = data / "mnist.npz" if data.is_dir() else data
    with np.load(path) as file:
        return file["x_train"][:SAMPLES], file["y_train"][:SAMPLES]


def tensors(net):
    """The weights under the names that do not depend on what was built before."""
    counts, named = {}, {}
    for layer in net.layers:
        if not layer.weights:
            continue
        kind = type(layer).__name__.lower()
        count = counts[kind] = counts.get(kind, -1) + 1
        for weight in layer.weights:
            name = f"{kind}_{count}" if count else kind
            named[f"{name}.{weight.name}"] = keras.ops.convert_to_numpy(weight)
    return named


def step_losses(net, x, y):
    """Trains, and returns the loss of each minibatch before its update."""
    losses = []
    for first in range(0, SAMPLES, BATCH_SIZE):
        batch = slice(first, first + BATCH_SIZE)
        net.reset_metrics()  # else Keras returns the mean so far
        losses.append(float(net.train_on_batch(x[batch], y[batch])))
    return losses


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", required=True, type=pathlib.Path, help="folder to write")
    parser.add_argument("--data", type=pathlib.Path,
                        help="folder that holds mnist.npz, or the file itself, instead of"
                             " generated images")
    options = parser.parse_args()
    images, labels = first_of_mnist(options.data) if options.data else generated()
    x = images.reshape(-1, 28, 28, 1).astype(np.float32) / np.float32(255)

    keras.utils.set_random_seed(SEED)
    net = lenet5.network()
    net.compile(optimizer=lenet5.adam(), loss="sparse_categorical_crossentropy")
    init = tensors(net)
    losses = step_losses(net, x, labels)
    final = tensors(net)
    moved = {name: float(np.linalg.norm((after - init[name]).astype(np.float64)))
             for name, after in final.items()}

    data = ({"source": "the first images of MNIST's training set"} if options.data else
            {"source": "generated", "recipe": RECIPE, "masks": MASKS})
    data.update(samples=SAMPLES, scale="x / 255 as f32",
                images_sha256=hashlib.sha256(images.tobytes()).hexdigest(),
                labels_sha256=hashlib.sha256(labels.tobytes()).hexdigest())
    expected = {
        "model": "lenet5", "output": "softmax", "batch_size": BATCH_SIZE, "shuffle": False,
        "optimizer": {"name": "adam", "learning_rate": common.LEARNING_RATE,
                      "beta_1": common.BETA_1, "beta_2": common.BETA_2,
                      "epsilon": common.EPSILON},
        "keras": keras.__version__, "data": data, "first_step_losses": losses,
        "moved_l2": moved,
        "first_predictions": net.predict(x[:PREDICTIONS], verbose=0).tolist(),
    }
    options.output.mkdir(parents=True, exist_ok=True)
    save_file(init, options.output / "init.safetensors")
    save_file(final, options.output / "final.safetensors")
    (options.output / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
