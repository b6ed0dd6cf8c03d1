"""Has the programs that they are for read exported models.

The folder has models.json, a list of networks, and for each its number with the endings .onnx, .npz and
.images (bytes). Written are, by ONNX Runtime, .probabilities and .sigmoid (float32) and .labels (bytes).
"""

import json
import pathlib
import sys

import numpy
import onnx
import onnxruntime

folder = pathlib.Path(sys.argv[1])
for number, network in enumerate(json.loads((folder / "models.json").read_text())):

    def at(ending):
        return folder / f"{number}.{ending}"

    model = onnx.load(at("onnx"))
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version == 4, model.ir_version
    assert [opset.version for opset in model.opset_import] == [12]

    session = onnxruntime.InferenceSession(at("onnx"), providers=["CPUExecutionProvider"])
    (images,) = session.get_inputs()
    assert (images.name, images.type) == ("images", "tensor(uint8)")
    assert images.shape == ["N", *network["input"]], images.shape
    pixels = numpy.fromfile(at("images"), numpy.uint8).reshape(-1, *network["input"])
    names = [output.name for output in session.get_outputs()]
    outputs = dict(zip(names, session.run(None, {"images": pixels})))
    assert set(outputs) - {"sigmoid"} == {"probabilities", "logits", "label"}, names
    assert outputs["probabilities"].shape == (len(pixels), network["classes"])
    assert (outputs["label"] == outputs["logits"].argmax(axis=1)).all()
    for name in ["probabilities", "sigmoid"]:
        if name in outputs:
            outputs[name].astype("<f4").tofile(at(name))
    outputs["label"].astype(numpy.uint8).tofile(at("labels"))
    # A single image, too.
    (single,) = session.run(["logits"], {"images": pixels[:1]})
    assert abs(single - outputs["logits"][:1]).max() < 1e-4

    with numpy.load(at("npz"), allow_pickle=False) as arrays:
        names = [tensor["name"] for tensor in network["tensors"]]
        assert sorted(arrays.files) == sorted([*names, "architecture.json"]), arrays.files
        for tensor in network["tensors"]:
            array = arrays[tensor["name"]]
            assert array.dtype == numpy.float32 and list(array.shape) == tensor["shape"]
            assert numpy.isclose(array.astype(float).sum(), tensor["sum"], rtol=1e-9)
        architecture = json.loads(bytes(arrays["architecture.json"]))
        assert architecture["classes"] == network["classes"]
