/* Filters that slide over an image, outside of which there are zeros; each position's sums are side by side. */
static inline void NAME_conv2d(const float *in, float *out, const NAME_window *w, WEIGHTS)
{
    for (long row = 0; row < w->rows; row++) {
        for (long column = 0; column < w->columns; column++) {
            float *sums = out + (row * w->columns + column) * w->filters;
            for (long f = 0; f < w->filters; f++) {
                sums[f] = START;
            }
            for (long i = 0; i < w->window_height; i++) {
                const long y = row * w->down + i - w->above;
                if (y < 0 || y >= w->height) {
                    continue;
                }
                for (long j = 0; j < w->window_width; j++) {
                    const long x = column * w->across + j - w->before;
                    if (x < 0 || x >= w->width) {
                        continue;
                    }
                    for (long c = 0; c < w->channels; c++) {
                        const float value = in[(y * w->width + x) * w->channels + c];
                        const long tap = (i * w->window_width + j) * w->channels + c;
                        for (long f = 0; f < w->filters; f++) {
                            sums[f] += value * WEIGHT[tap * w->filters + f];
                        }
                    }
                }
            }
            NAME_finish(sums, w->filters, scales, bias);
        }
    }
}
