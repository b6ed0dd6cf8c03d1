"""The run in scikit-learn: MLPClassifier, without its weight penalty and early stopping."""

import time
import warnings

import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

import common


def main():
    options = common.arguments(__doc__)
    data = common.mnist(options.data)
    classifier = MLPClassifier(
        hidden_layer_sizes=(common.HIDDEN,), activation="relu", solver="adam", alpha=0.0,
        batch_size=options.batch_size, learning_rate_init=common.LEARNING_RATE,
        beta_1=common.BETA_1, beta_2=common.BETA_2, epsilon=common.EPSILON,
        max_iter=options.epochs, n_iter_no_change=options.epochs + 1)
    # Five epochs are all that is asked for: no warning that it has not converged.
    warnings.simplefilter("ignore", ConvergenceWarning)
    with threadpool_limits(options.threads):
        start = time.perf_counter()
        classifier.fit(data.x_train, data.y_train)
        seconds = time.perf_counter() - start
        accuracy = classifier.score(data.x_test, data.y_test)
    common.report("scikit-learn", sklearn.__version__, seconds, accuracy)


if __name__ == "__main__":
    main()
