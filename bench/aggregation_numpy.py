# NumPy's side of aggregation.ts: the mean of models in double precision, in each of the ways that one writes it.
# Reads a line for every turn, answers with the milliseconds of each way.
import json
import sys
import time

try:
    import numpy as np
except ImportError:
    sys.exit("left out NumPy: apt-get install python3-numpy")

model_count, length = (int(argument) for argument in sys.argv[1:3])
i = np.arange(length)
models = [np.sin(i * 0.001 + k).astype(np.float32) for k in range(model_count)]
stacked = np.stack(models)


def one_after_the_other():
    sums = np.zeros(length)
    for model in models:
        sums += model
    return (sums / model_count).astype(np.float32)


def of_stacked():
    return stacked.mean(axis=0, dtype=np.float64).astype(np.float32)


def of_stacked_in_single_precision():
    return stacked.mean(axis=0)


def milliseconds(work):
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


ways = [one_after_the_other, of_stacked, of_stacked_in_single_precision]
for _ in sys.stdin:
    print(json.dumps({way.__name__: milliseconds(way) for way in ways}), flush=True)
