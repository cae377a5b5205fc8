#!/usr/bin/python3
"""Checks ONNX models with ONNX's own checker: check.py FOLDER...

Every .onnx file below the folders must pass the checker, with types and shapes inferred strictly, and each output must
have the shape that it declares. Needs Debian's python3-onnx. Prints a line a model; exits with 1 if one fails.
"""

import pathlib
import sys

import onnx


def shape_of(value):
    return [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]


def check(path):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    declared = {value.name: shape_of(value) for value in model.graph.output}
    # Inference does not say when a declared shape is another one than it finds: it is not told any.
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    found = {value.name: shape_of(value) for value in inferred.graph.output}
    if found != declared:
        raise ValueError(f"declares outputs {declared}, but computes {found}")
    return f"{len(model.graph.node)} nodes, {len(declared)} outputs"


def main(folders):
    paths = sorted(path for folder in folders for path in pathlib.Path(folder).rglob("*.onnx"))
    if not paths:
        sys.exit("Expected at least one .onnx file, found none")
    failures = 0
    for path in paths:
        try:
            print(f"{path.name}: {check(path)}")
        except Exception as error:  # The checker raises several kinds.
            failures += 1
            print(f"{path.name}: {error}", file=sys.stderr)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
