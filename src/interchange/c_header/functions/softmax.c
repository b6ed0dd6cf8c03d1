/* The class of the greatest logit, the first of equals; and the softmax of all, if it is asked for. */
static inline int NAME_softmax(const float *logits, int classes, float *probabilities)
{
    int label = 0;
    for (int c = 1; c < classes; c++) {
        label = logits[c] > logits[label] ? c : label;
    }
    if (probabilities) {
        float sum = 0.0f;
        for (int c = 0; c < classes; c++) {
            probabilities[c] = expf(logits[c] - logits[label]);
            sum += probabilities[c];
        }
        for (int c = 0; c < classes; c++) {
            probabilities[c] /= sum;
        }
    }
    return label;
}
