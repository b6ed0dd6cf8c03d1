/* 1 / (1 + e^-x) */
static inline void NAME_sigmoid(float *values, long count)
{
    for (long i = 0; i < count; i++) {
        const float power = expf(-fabsf(values[i]));
        values[i] = (values[i] < 0.0f ? power : 1.0f) / (1.0f + power);
    }
}
