"""The run in Keras on TensorFlow: `fit`, as the tutorials have it."""

import os
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow

import common
import lenet5


def network(model):
    if model == "lenet5":
        return lenet5.network()
    # Keras takes the loss from the logits behind the sigmoid.
    return keras.Sequential([keras.Input((common.PIXELS,)),
                             keras.layers.Dense(common.HIDDEN, activation="relu"),
                             keras.layers.Dense(common.CLASSES, activation="sigmoid")])


def main():
    options = common.arguments(__doc__, models=("mlp", "lenet5"))
    tensorflow.config.threading.set_intra_op_parallelism_threads(options.threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(options.threads)
    data = common.mnist(options.data)
    net = network(options.model)
    x_train, x_test = (x.reshape(-1, *net.input_shape[1:]) for x in (data.x_train, data.x_test))
    net.compile(optimizer=lenet5.adam(), loss="sparse_categorical_crossentropy",
                metrics=["accuracy"])

    def fit(samples, epochs):
        start = time.perf_counter()
        net.fit(x_train[:samples], data.y_train[:samples], batch_size=options.batch_size,
                epochs=epochs, verbose=0)
        return time.perf_counter() - start

    # One step more than the others take, so that tracing is timed apart.
    compile_seconds = fit(options.batch_size, 1)
    seconds = fit(None, options.epochs)
    _, accuracy = net.evaluate(x_test, data.y_test, batch_size=1000, verbose=0)
    version = f"{keras.__version__}, TensorFlow {tensorflow.__version__}"
    common.report("Keras", version, seconds, accuracy, compile_seconds)


if __name__ == "__main__":
    main()
