/* Sums of weights in bytes as sums of weights, and their biases. */
static inline void NAME_finish(float *sums, long count, const float *scales, const float *bias)
{
    for (long i = 0; i < count; i++) {
        sums[i] = sums[i] * scales[i] + bias[i];
    }
}
