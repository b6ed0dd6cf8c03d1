"""LeNet-5 and Adam in Keras, for the peer and for the golden run."""

import keras
from keras import layers

import common


def network():
    """LeNet-5 on 28 x 28 x 1 with the weights that Keras draws; 44,426 parameters."""
    return keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(6, 5, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(16, 5, activation="relu"), layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(120, activation="relu"),
        layers.Dense(84, activation="relu"),
        layers.Dense(common.CLASSES, activation="softmax"),
    ])


def adam():
    """Adam as everywhere here."""
    return keras.optimizers.Adam(common.LEARNING_RATE, common.BETA_1, common.BETA_2,
                                 common.EPSILON)
