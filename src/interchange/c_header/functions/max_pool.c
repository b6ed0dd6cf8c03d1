/* The greatest number of each window, channel by channel. */
static inline void NAME_max_pool(const float *in, float *out, const NAME_window *w)
{
    for (long row = 0; row < w->rows; row++) {
        for (long column = 0; column < w->columns; column++) {
            const float *corner = in + (row * w->down * w->width + column * w->across) * w->channels;
            for (long c = 0; c < w->channels; c++) {
                float greatest = corner[c];
                for (long i = 0; i < w->window_height; i++) {
                    for (long j = 0; j < w->window_width; j++) {
                        const float value = corner[(i * w->width + j) * w->channels + c];
                        greatest = value > greatest ? value : greatest;
                    }
                }
                out[(row * w->columns + column) * w->channels + c] = greatest;
            }
        }
    }
}
