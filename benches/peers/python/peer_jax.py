"""The run in JAX: a whole epoch is one compiled call, its steps one `lax.scan`."""

import functools
import os
import sys
import time

import jax
from jax import lax, numpy as jnp

import common


SHAPES = {
    "mlp": [(common.PIXELS, common.HIDDEN), (common.HIDDEN, common.CLASSES)],
    "lenet5": [(5, 5, 1, 6), (5, 5, 6, 16), (256, 120), (120, 84), (84, common.CLASSES)],
}


def network(model, key):
    """Kernels drawn from Glorot's uniform distribution, biases of zero."""
    shapes = SHAPES[model]
    glorot = jax.nn.initializers.glorot_uniform()
    return [(glorot(layer_key, shape), jnp.zeros(shape[-1]))
            for layer_key, shape in zip(jax.random.split(key, len(shapes)), shapes)]


def logits(weights, images):
    """Of either network: kernels of four axes are convolutions, which come first."""
    x = images
    for number, (kernel, bias) in enumerate(weights):
        if kernel.ndim == 4:
            x = x.reshape(-1, 28, 28, 1) if number == 0 else x
            x = halved(jax.nn.relu(convolved(x, kernel) + bias))
        else:
            x = x.reshape(len(x), -1) @ kernel + bias
            x = x if number == len(weights) - 1 else jax.nn.relu(x)
    return x


def convolved(x, kernel):
    """A product of patches: on CPUs several times as fast as XLA's own convolution."""
    rows, columns, _, channels = kernel.shape
    height, width = x.shape[1] - rows + 1, x.shape[2] - columns + 1
    patches = jnp.concatenate([x[:, row:row + height, column:column + width]
                               for row in range(rows) for column in range(columns)], axis=-1)
    return patches @ kernel.reshape(-1, channels)


def halved(x):
    """The largest of each 2 x 2, whose gradient costs less this way than `reduce_window`'s."""
    batch, height, width, channels = x.shape
    return x.reshape(batch, height // 2, 2, width // 2, 2, channels).max((2, 4))


def loss(weights, images, labels):
    scores = jax.nn.log_softmax(logits(weights, images))
    return -jnp.take_along_axis(scores, labels[:, None], axis=1).mean()


def step(state, images, labels):
    """One step of Adam; the state is (weights, first moments, second moments, time)."""
    weights, first, second, time_step = state
    gradient = jax.grad(loss)(weights, images, labels)
    time_step = time_step + 1
    rate = common.LEARNING_RATE * jnp.sqrt(1 - common.BETA_2**time_step) / (
        1 - common.BETA_1**time_step)
    first = jax.tree.map(lambda m, g: m + (1 - common.BETA_1) * (g - m), first, gradient)
    second = jax.tree.map(lambda v, g: v + (1 - common.BETA_2) * (g * g - v), second, gradient)
    weights = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + common.EPSILON),
                           weights, first, second)
    return weights, first, second, time_step


@functools.partial(jax.jit, static_argnames="batch_size", donate_argnames="state")
def epoch(state, images, labels, order, batch_size):
    """Every sample once, in the given order; the last minibatch may be short."""
    def take(state, batch):
        return step(state, images[batch], labels[batch]), None

    whole = len(order) // batch_size * batch_size
    state, _ = lax.scan(take, state, order[:whole].reshape(-1, batch_size))
    if whole < len(order):
        state, _ = take(state, order[whole:])
    return state


def check_threads(threads):
    """XLA has no option for threads: it takes one for each processor that it may use."""
    if hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) > threads:
        sys.exit(f"--threads {threads} needs a process bound to {threads} processors (taskset)")


def main():
    options = common.arguments(__doc__, models=("mlp", "lenet5"))
    check_threads(options.threads)
    data = common.mnist(options.data)
    images, labels = jnp.asarray(data.x_train), jnp.asarray(data.y_train)
    key = jax.random.key(time.time_ns() % 2**32)
    weights = network(options.model, key)
    zeros = jax.tree.map(jnp.zeros_like, weights)
    state = (weights, zeros, jax.tree.map(jnp.copy, zeros), jnp.float32(0))
    shuffle = jax.jit(lambda key: jax.random.permutation(key, len(images)))

    start = time.perf_counter()
    order = shuffle(key).block_until_ready()
    run = epoch.lower(state, images, labels, order, options.batch_size).compile()
    compile_seconds = time.perf_counter() - start

    start = time.perf_counter()
    for epoch_key in jax.random.split(key, options.epochs):
        state = run(state, images, labels, shuffle(epoch_key))
    jax.block_until_ready(state)
    seconds = time.perf_counter() - start

    scores = jax.nn.sigmoid(logits(state[0], jnp.asarray(data.x_test)))
    accuracy = (scores.argmax(1) == jnp.asarray(data.y_test)).mean()
    common.report("JAX", jax.__version__, seconds, accuracy, compile_seconds)


if __name__ == "__main__":
    main()
