/* Each unit a weighted sum of all inputs. */
static inline void NAME_dense(const float *in, long inputs, float *sums, long units, WEIGHTS)
{
    for (long f = 0; f < units; f++) {
        sums[f] = START;
    }
    for (long i = 0; i < inputs; i++) {
        for (long f = 0; f < units; f++) {
            sums[f] += in[i] * WEIGHT[i * units + f];
        }
    }
    NAME_finish(sums, units, scales, bias);
}
