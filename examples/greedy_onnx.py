#!/usr/bin/env python3
"""Writes a policy as an ONNX model with its card: greedy_onnx.py my-policy.onnx

Standard library only. A model exported by PyTorch or JAX does as well: what counts is that it has one input and one
output as the card says. docs/policies.md explains the contract.

The rule: a task stays on its device when the processor is idle and the task would be in time and within the charge.
All others go to the edge, where they split what is left, the bandwidth in proportion to the size of their data and the
server in proportion to their work.
"""

import hashlib
import json
import pathlib
import struct
import sys

DEADLINE_SECONDS = 1.5
K_JOULE_SQUARE_SECONDS = 1e-26

# What the model is shown of each device, in this order. A divisor of 1 leaves the number as it is.
COLUMNS = ["age_seconds", "work_cycles", "clock_hertz", "charge_joules", "is_processor_busy", "data_size_bits"]

# --- protobuf: a field is a tag and a value (https://protobuf.dev/programming-guides/encoding) ---


def varint(value):
    digits = bytearray()
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes(digits + bytes([value]))


def integer(field, value):
    return varint(field << 3) + varint(value)


def message(field, *parts):
    content = b"".join(parts)
    return varint(field << 3 | 2) + varint(len(content)) + content


def text(field, value):
    return message(field, value.encode())


# --- ONNX: field numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto ---

FLOAT = 1


def node(operator, inputs, outputs, **attributes):
    """A NodeProto in a GraphProto; attributes are integers."""
    parts = [text(1, name) for name in inputs] + [text(2, name) for name in outputs] + [text(4, operator)]
    parts += [message(5, text(1, name), integer(3, value), integer(20, 2)) for name, value in attributes.items()]
    return message(1, *parts)


def number(name, value):
    """A TensorProto of one float."""
    return message(5, integer(2, FLOAT), text(8, name), message(9, struct.pack("<f", value)))


def tensor(field, name, width):
    """A ValueInfoProto: float32 of [devices, width]. A name for a size means any number of rows."""
    shape = message(2, message(1, text(2, "devices")), message(1, integer(1, width)))
    return message(field, text(1, name), message(2, message(1, integer(1, FLOAT), shape)))


def share(column, name):
    """Nodes that ask for a share in proportion to a column: 2 x / max(x) - 1, which the lab reads as x / max(x)."""
    return [
        node("ReduceMax", [column], [f"{name}_largest"], keepdims=1),
        node("Max", [f"{name}_largest", "one"], [f"{name}_unit"]),
        node("Div", [column, f"{name}_unit"], [f"{name}_part"]),
        node("Mul", [f"{name}_part", "two"], [f"{name}_twice"]),
        node("Sub", [f"{name}_twice", "one"], [name]),
    ]


def model():
    graph = [
        node("Split", ["features"], COLUMNS, axis=1),
        # T^l = C / f, and the time that the task has waited
        node("Div", ["work_cycles", "clock_hertz"], ["local_delay"]),
        node("Add", ["age_seconds", "local_delay"], ["delay"]),
        node("Greater", ["delay", "deadline"], ["is_late"]),
        # E^l = k C f^2
        node("Mul", ["k", "work_cycles"], ["k_work"]),
        node("Mul", ["clock_hertz", "clock_hertz"], ["clock_square"]),
        node("Mul", ["k_work", "clock_square"], ["energy"]),
        node("Greater", ["energy", "charge_joules"], ["is_drained"]),
        node("Greater", ["is_processor_busy", "half"], ["is_busy"]),
        node("Or", ["is_late", "is_drained"], ["fails"]),
        node("Or", ["fails", "is_busy"], ["goes"]),
        # Above 0: to the edge
        node("Where", ["goes", "one", "minus_one"], ["offload"]),
        *share("data_size_bits", "bandwidth"),
        *share("work_cycles", "compute"),
        node("Concat", ["offload", "bandwidth", "compute"], ["action"], axis=1),
        text(2, "greedy"),
        number("deadline", DEADLINE_SECONDS),
        number("k", K_JOULE_SQUARE_SECONDS),
        number("half", 0.5),
        number("one", 1),
        number("two", 2),
        number("minus_one", -1),
        tensor(11, "features", len(COLUMNS)),
        tensor(12, "action", 3),
    ]
    # ModelProto: the version of the format, the graph, the version of the operators
    return integer(1, 8) + text(2, "greedy_onnx.py") + message(7, *graph) + message(8, text(1, ""), integer(2, 17))


def card(name, content):
    return {
        "format": 1,
        "name": name,
        "model": {"sha256": hashlib.sha256(content).hexdigest(), "input": "features", "output": "action"},
        "observation": {
            "networks": "set",  # a row for each device
            "device_count": None,  # as many devices as there are
            "device_columns": [{"name": column, "divisor": 1} for column in COLUMNS],
            "community_columns": [],
        },
    }


def main():
    if len(sys.argv) != 2 or not sys.argv[1].endswith(".onnx"):
        sys.exit("usage: greedy_onnx.py my-policy.onnx")
    path = pathlib.Path(sys.argv[1])
    content = model()
    path.write_bytes(content)
    path.with_suffix(".card.json").write_text(json.dumps(card(path.stem, content), indent=1) + "\n")
    print(f"{path} and its card; try: npx offload simulate --policies greedy,fair --policy {path}")


if __name__ == "__main__":
    main()
