"""scikit-learn's figures of predictions, as JSON.

    python classification_report.py predictions.csv NAME...

The file is what `mnistry evaluate --predictions` writes; the names are those of
all classes, in order. A row a class, then the macro and the weighted average:
precision, recall, F1, support.
"""

import csv
import json
import sys

from sklearn.metrics import classification_report


def main(path, names):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    report = classification_report(
        [row["label"] for row in rows], [row["predicted"] for row in rows],
        labels=names, output_dict=True, zero_division=0)
    figures = ["precision", "recall", "f1-score", "support"]
    print(json.dumps([[report[name][figure] for figure in figures]
                      for name in [*names, "macro avg", "weighted avg"]]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
