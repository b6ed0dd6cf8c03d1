"""The run in PyTorch: eager, fused Adam, the data set in tensors, no DataLoader."""

import time

import torch
from torch import nn
from torch.nn import functional

import common


def network(model):
    if model == "mlp":
        return nn.Sequential(nn.Linear(common.PIXELS, common.HIDDEN), nn.ReLU(),
                             nn.Linear(common.HIDDEN, common.CLASSES))
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(256, 120), nn.ReLU(),
        nn.Linear(120, 84), nn.ReLU(),
        nn.Linear(84, common.CLASSES))


def train(net, images, labels, options):
    """Runs the epochs and returns their seconds."""
    adam = torch.optim.Adam(net.parameters(), lr=common.LEARNING_RATE,
                            betas=(common.BETA_1, common.BETA_2), eps=common.EPSILON, fused=True)
    start = time.perf_counter()
    for _ in range(options.epochs):
        for batch in torch.randperm(len(images)).split(options.batch_size):
            loss = functional.cross_entropy(net(images[batch]), labels[batch])
            adam.zero_grad(set_to_none=True)
            loss.backward()
            adam.step()
    return time.perf_counter() - start


def main():
    options = common.arguments(__doc__, models=("mlp", "lenet5"))
    torch.set_num_threads(options.threads)
    data = common.mnist(options.data)
    net = network(options.model)
    seconds = train(net, torch.from_numpy(data.x_train),
                    torch.from_numpy(data.y_train).long(), options)
    with torch.no_grad():
        scores = torch.sigmoid(net(torch.from_numpy(data.x_test)))
        right = scores.argmax(1) == torch.from_numpy(data.y_test)
    common.report("PyTorch", torch.__version__, seconds, right.float().mean())


if __name__ == "__main__":
    main()
