"""Keras's side of the tests of its files.

    python keras_files.py use FOLDER     # models that mnistry wrote
    python keras_files.py make FOLDER    # models for mnistry to read

`use` takes each N.keras and N.weights.h5 of the folder, with the images of
N.images (raw bytes) and the shape and number of classes of N.json. It writes
raw f32 of what is predicted: N.loaded by the archive, N.weights by a new model
that loads the weights alone, N.fitted after training went on. It saves the
model as it was loaded, N.saved.keras and N.saved.weights.h5, and as it is
after the training, N.fitted.keras.

`make` writes models that mnistry reads, NAME.keras, with NAME.images (raw
bytes, 64 images) and NAME.predicted (raw f32), and others that it refuses.
"""

import json
import os
import pathlib
import sys
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# By AVX-512, oneDNN's convolutions with strides that differ are wrong in TensorFlow 2.21: one of
# a single channel, 3 × 3 with strides of 1 and 2, is 0.86 from its sum in f64. Eigen's are right.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import h5py
import keras
import numpy as np
from keras import layers


def use(folder):
    for description in sorted(folder.glob("*.json")):
        with open(description, encoding="utf-8") as file:
            shape = json.load(file)
        stem = str(description.with_suffix(""))
        images = np.fromfile(stem + ".images", np.uint8)
        images = images.reshape(-1, shape["height"], shape["width"])

        model = keras.models.load_model(stem + ".keras")
        model.predict(images, batch_size=1000, verbose=0).tofile(stem + ".loaded")
        model.save(stem + ".saved.keras")
        model.save_weights(stem + ".saved.weights.h5")

        # A model of the same layers, made in a session where there were others.
        other = keras.Sequential.from_config(model.get_config())
        other.load_weights(stem + ".weights.h5")
        other.predict(images, batch_size=1000, verbose=0).tofile(stem + ".weights")
        with h5py.File(stem + ".weights.h5") as file:
            arrays = []
            file.visititems(lambda _, item: arrays.append(item)
                            if isinstance(item, h5py.Dataset) else None)
            assert len(arrays) == len(model.get_weights())
            assert all(array.dtype == np.float32 for array in arrays)

        labels = np.arange(64) % shape["classes"]
        history = model.fit(images[:64], labels, batch_size=32, epochs=1, verbose=0)
        assert np.isfinite(history.history["loss"]).all() and "accuracy" in history.history
        model.save(stem + ".fitted.keras")
        model.predict(images, batch_size=1000, verbose=0).tofile(stem + ".fitted")


def chain(*parts, **options):
    return keras.Sequential(list(parts), **options)


def readable():
    """Models by name; each takes images of 8 × 7 as bytes, or as said."""
    yield "named", chain(
        keras.Input((8, 7), dtype="uint8", name="digits"), layers.Rescaling(1 / 255),
        layers.Reshape((8, 7, 1)),
        layers.Conv2D(5, (3, 2), padding="same", strides=(2, 1), name="edges"), layers.ReLU(),
        layers.AveragePooling2D((2, 3), strides=1), layers.MaxPooling2D(2),
        layers.Dropout(0.3), layers.Flatten(), layers.Dense(9, name="my_dense"),
        layers.Activation("sigmoid"), layers.Dense(4), layers.Softmax(), name="mine")
    inputs = keras.Input((8, 7, 1))
    x = layers.Rescaling(scale=1.0 / 255)(inputs)
    x = layers.Conv2D(3, 3, activation="relu")(x)
    x = layers.Flatten()(x)
    yield "functional", keras.Model(inputs, layers.Dense(6, activation="sigmoid")(x))
    yield "scaled_before", chain(keras.Input((8, 7)), layers.Flatten(),
                                 layers.Dense(5, activation="relu"), layers.Dense(3))
    yield "rows", chain(keras.Input((49,)), layers.Dense(5, activation="relu"),
                        layers.Dense(3, activation="softmax"))
    late = chain(layers.Flatten(), layers.Dense(3, activation="softmax"))
    late(np.zeros((1, 8, 7), np.float32))
    yield "built_late", late
    compiled = chain(keras.Input((8, 7), dtype="uint8"), layers.Rescaling(1 / 255),
                     layers.Flatten(), layers.Dense(3, activation="softmax"))
    compiled.compile("adam", "sparse_categorical_crossentropy")
    compiled.fit(np.zeros((4, 8, 7), np.uint8), np.zeros(4), verbose=0)
    yield "with_moments", compiled


def refused():
    image = keras.Input((8, 7, 1))
    yield "normalised", chain(image, layers.Flatten(), layers.Dense(4),
                              layers.BatchNormalization(name="my_norm"), layers.Dense(3))
    yield "without_bias", chain(image, layers.Flatten(),
                                layers.Dense(3, use_bias=False, name="plain"))
    yield "leaky", chain(image, layers.Flatten(), layers.Dense(4),
                         layers.ReLU(negative_slope=0.1, name="leak"), layers.Dense(3))
    yield "tanh", chain(image, layers.Flatten(), layers.Dense(4, activation="tanh", name="curve"),
                        layers.Dense(3))
    yield "dilated", chain(image, layers.Conv2D(2, 3, dilation_rate=2, name="holes"),
                           layers.Flatten(), layers.Dense(3))
    yield "padded_pool", chain(image, layers.MaxPooling2D(2, padding="same", name="edge"),
                               layers.Flatten(), layers.Dense(3))
    yield "raw", chain(keras.Input((8, 7), dtype="uint8"), layers.Flatten(), layers.Dense(3))
    yield "last_axis", chain(keras.Input((8, 7)), layers.Dense(3, name="columns"),
                             layers.Flatten(), layers.Dense(3))
    x = layers.Flatten()(image)
    both = layers.Concatenate(name="both")([layers.Dense(3)(x), layers.Dense(3)(x)])
    yield "forked", keras.Model(image, layers.Dense(3)(both))
    yield "nested", chain(image, chain(layers.Flatten(), name="inner"), layers.Dense(3))


def make(folder):
    keras.utils.set_random_seed(7)
    random = np.random.default_rng(7)
    for name, model in readable():
        stem = str(folder / name)
        shape = model.input_shape[1:]
        images = random.integers(0, 256, (64, *shape)).astype(np.uint8)
        images.tofile(stem + ".images")
        scaled = images
        if not any(isinstance(layer, layers.Rescaling) for layer in model.layers):
            scaled = images.astype(np.float32) / np.float32(255)
        model.predict(scaled, verbose=0).tofile(stem + ".predicted")
        model.save(stem + ".keras")
    for name, model in refused():
        model.save(str(folder / name) + ".keras")
    old = chain(keras.Input((8, 7, 1)), layers.Flatten(), layers.Dense(3))
    old.save(str(folder / "old.h5"))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    {"use": use, "make": make}[sys.argv[1]](pathlib.Path(sys.argv[2]))
