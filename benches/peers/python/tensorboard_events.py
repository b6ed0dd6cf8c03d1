"""What TensorBoard finds in a folder of event files, as JSON.

    python tensorboard_events.py FOLDER

By the name of each folder in it and of each curve: its points, step and value;
of images, step, width, height and the PNG file in hexadecimal digits.
"""

import json
import pathlib
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def main(folder):
    everything = {"scalars": 0, "images": 0}
    found = {}
    for part in sorted(path for path in pathlib.Path(folder).iterdir() if path.is_dir()):
        events = EventAccumulator(str(part), size_guidance=everything).Reload()
        curves = {name: [[point.step, point.value] for point in events.Scalars(name)]
                  for name in events.Tags()["scalars"]}
        images = {name: [[image.step, image.width, image.height,
                          image.encoded_image_string.hex()] for image in events.Images(name)]
                  for name in events.Tags()["images"]}
        found[part.name] = {"scalars": curves, "images": images}
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
