/* A window that slides over an image. */
typedef struct {
    long height, width, channels;     /* of the image */
    long rows, columns, filters;      /* of what comes out */
    long window_height, window_width;
    long down, across;                /* how far it moves */
    long above, before;               /* how far it begins outside the image */
} NAME_window;
