"""The run in tinygrad: a step is one call of `TinyJit`, which finds its minibatch in the order."""

import os
import time
from importlib.metadata import version

import numpy as np

import common

if __name__ == "__main__":
    OPTIONS = common.arguments(__doc__)
    # tinygrad reads these when it is imported. Sums that are split keep it from seeing that a
    # minibatch is a look-up: with that, a step takes several times as long.
    os.environ.update(DEV="CPU", NUM_CPU_THREADS=str(OPTIONS.threads), SPLIT_REDUCEOP="0")

from tinygrad import Device, Tensor, TinyJit, Variable, nn
from tinygrad.helpers import Context


class Network:
    """Kernels drawn from Glorot's uniform distribution, biases of zero."""

    def __init__(self):
        shapes = [(common.PIXELS, common.HIDDEN), (common.HIDDEN, common.CLASSES)]
        self.kernels = [Tensor.glorot_uniform(*shape) for shape in shapes]
        self.biases = [Tensor.zeros(shape[1]).contiguous() for shape in shapes]

    def logits(self, images):
        hidden, output = self.kernels
        hidden_bias, output_bias = self.biases
        return (images @ hidden + hidden_bias).relu() @ output + output_bias


def main(options):
    data = common.mnist(options.data)
    images, labels = Tensor(data.x_train).realize(), Tensor(data.y_train).realize()
    Tensor.manual_seed(time.time_ns() % 2**32)
    network = Network()
    adam = nn.optim.Adam(nn.state.get_parameters(network), lr=common.LEARNING_RATE,
                         b1=common.BETA_1, b2=common.BETA_2, eps=common.EPSILON)
    state = [*adam.params, *adam.buffers]
    Tensor.realize(*state)
    samples, size = len(data.y_train), options.batch_size

    def step(batch):
        loss = network.logits(images[batch]).sparse_categorical_crossentropy(labels[batch])
        adam.zero_grad()
        loss.backward()
        adam.step()

    @TinyJit
    def whole(order, number):
        step(order[number * size:(number + 1) * size])

    @TinyJit
    def rest(order):
        step(order[samples // size * size:])

    number_of_batch = Variable("number", 0, samples // size - 1)

    def epoch(steps):
        order = Tensor(np.random.permutation(samples).astype(np.int32)).realize()
        for number in range(steps):
            whole(order, number_of_batch.bind(number))
        if samples % size:
            rest(order)

    with Context(TRAINING=1):
        # The second step is the one that is recorded; then all begins anew.
        start = time.perf_counter()
        beginning = [tensor.numpy() for tensor in state]
        for _ in range(3):
            epoch(1)
        for tensor, value in zip(state, beginning):
            tensor.assign(Tensor(value)).realize()
        Device[Device.DEFAULT].synchronize()
        compile_seconds = time.perf_counter() - start

        start = time.perf_counter()
        for _ in range(options.epochs):
            epoch(samples // size)
        Device[Device.DEFAULT].synchronize()
        seconds = time.perf_counter() - start

    right = network.logits(Tensor(data.x_test)).sigmoid().argmax(1).numpy() == data.y_test
    common.report("tinygrad", version("tinygrad"), seconds, right.mean(), compile_seconds)


if __name__ == "__main__":
    main(OPTIONS)
