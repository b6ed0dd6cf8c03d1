"""The run in MLX: a step, from the order of the samples to the new state, is one compiled call."""

import time

import mlx.core as mx
from mlx import nn
from mlx.utils import tree_map

import common


def network():
    """Kernels drawn from Glorot's uniform distribution, biases of zero."""
    shapes = [(common.PIXELS, common.HIDDEN), (common.HIDDEN, common.CLASSES)]
    glorot = nn.init.glorot_uniform()
    return [(glorot(mx.zeros(shape)), mx.zeros(shape[1])) for shape in shapes]


def logits(weights, images):
    (hidden, hidden_bias), (output, output_bias) = weights
    return mx.addmm(output_bias, nn.relu(mx.addmm(hidden_bias, images, hidden)), output)


def loss(weights, images, labels):
    return nn.losses.cross_entropy(logits(weights, images), labels, reduction="mean")


def step(state, images, labels, batch):
    """One step of Adam; the state is (weights, first moments, second moments, time)."""
    weights, first, second, time_step = state
    gradient = mx.grad(loss)(weights, images[batch], labels[batch])
    time_step = time_step + 1
    rate = common.LEARNING_RATE * mx.sqrt(1 - common.BETA_2**time_step) / (
        1 - common.BETA_1**time_step)
    first = tree_map(lambda m, g: m + (1 - common.BETA_1) * (g - m), first, gradient)
    second = tree_map(lambda v, g: v + (1 - common.BETA_2) * (g * g - v), second, gradient)
    weights = tree_map(lambda w, m, v: w - rate * m / (mx.sqrt(v) + common.EPSILON),
                       weights, first, second)
    return weights, first, second, time_step


def main():
    options = common.arguments(__doc__)
    mx.set_default_device(mx.cpu)
    data = common.mnist(options.data)
    images, labels = mx.array(data.x_train), mx.array(data.y_train)
    mx.random.seed(time.time_ns() % 2**32)
    weights = network()
    state = (weights, tree_map(mx.zeros_like, weights), tree_map(mx.zeros_like, weights),
             mx.array(0.0))
    mx.eval(images, labels, state)
    run = mx.compile(step)

    def epoch(state, order):
        for first in range(0, len(images), options.batch_size):
            state = run(state, images, labels, order[first:first + options.batch_size])
            mx.async_eval(state)
        return state

    # A step of each length of minibatch, whose result is forgotten.
    start = time.perf_counter()
    order = mx.random.permutation(len(images))
    whole = len(images) // options.batch_size * options.batch_size
    for batch in (order[:options.batch_size], order[whole:]):
        if batch.size:
            mx.eval(run(state, images, labels, batch))
    compile_seconds = time.perf_counter() - start

    start = time.perf_counter()
    for _ in range(options.epochs):
        state = epoch(state, mx.random.permutation(len(images)))
    mx.eval(state)
    seconds = time.perf_counter() - start

    scores = mx.sigmoid(logits(state[0], mx.array(data.x_test)))
    accuracy = (scores.argmax(1) == mx.array(data.y_test)).mean().item()
    common.report("MLX", mx.__version__, seconds, accuracy, compile_seconds)


if __name__ == "__main__":
    main()
