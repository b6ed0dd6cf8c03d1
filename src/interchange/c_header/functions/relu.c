/* max(x, 0) */
static inline void NAME_relu(float *values, long count)
{
    for (long i = 0; i < count; i++) {
        values[i] = values[i] > 0.0f ? values[i] : 0.0f;
    }
}
