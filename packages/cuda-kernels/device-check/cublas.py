#!/usr/bin/env python3
"""Times f16 products by cuBLAS, through PyTorch, of the shapes in BENCHMARK.json: cublas.py BENCHMARK.json [PREFILL_TOKENS].

Prints one line of JSON for each shape and number of tokens, and one for each model: all its linears over a prompt.
"""
import collections
import json
import sys

import torch


def microseconds(rows, cols, tokens, copies, repeats=8):
    """Of one product [tokens, cols] x [cols, rows], with as many matrices in turn, as one CUDA graph."""
    matrices = [torch.randn(rows, cols, device="cuda", dtype=torch.float16) for _ in range(copies)]
    x = torch.randn(tokens, cols, device="cuda", dtype=torch.float16)
    out = torch.empty(tokens, rows, device="cuda", dtype=torch.float16)

    def all_products():
        for matrix in matrices:
            torch.mm(x, matrix.t(), out=out)

    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        all_products()
    stream.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        all_products()
    times = []
    with torch.cuda.stream(stream):
        for _ in range(repeats):
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            graph.replay()
            end.record()
            end.synchronize()
            times.append(begin.elapsed_time(end) * 1e3 / copies)
    del graph, matrices
    return sorted(times)[len(times) // 2]


def main():
    with open(sys.argv[1]) as file:
        benchmark = json.load(file)
    prefill = int(sys.argv[2]) if len(sys.argv) > 2 else 2048
    l2 = getattr(torch.cuda.get_device_properties(0), "L2_cache_size", 1 << 26)
    for rows, cols in benchmark["products"]:
        copies = min(max(16, 5 * l2 // (2 * rows * cols) + 2), 256)
        for tokens in (1, 4):
            us = microseconds(rows, cols, tokens, copies)
            print(json.dumps({"kind": "cublas", "rows": rows, "cols": cols, "tokens": tokens, "us": us}), flush=True)
    for model in benchmark["models"]:
        program = model["programs"][0]
        shapes = collections.Counter((w["rows"], w["cols"]) for w in program["weights"] if "maxBits" in w)
        # The head, which sees the last token only.
        head = (program["vocabulary"], next(iter(shapes))[1])
        total = sum(
            count * microseconds(*shape, 1 if shape == head else prefill, 4 if shape != head else 2, repeats=5)
            for shape, count in shapes.items()
        )
        print(json.dumps({"kind": "cublas_prefill", "model": model["name"], "tokens": prefill, "us": total}), flush=True)


main()
