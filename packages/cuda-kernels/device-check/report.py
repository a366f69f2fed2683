#!/usr/bin/env python3
"""Prints one table of what device-check measured: report.py MEASUREMENTS [JSON], where MEASUREMENTS has a line of JSON for
each. Beside a figure stands what it must reach (docs/cuda.md) and whether it does."""
import json
import sys

# Of the copy bandwidth, for the large products of one token, by bits.
WANTED_OF_COPY = {3: 0.85, 4: 0.80, 5: 0.65, 6: 0.55}
WANTED_SHAPES = {(14336, 4096), (4096, 14336)}
WANTED_FOUR_ROWS = 1.10
WANTED_TOKENS = {3.25: 1000, 3.5: 950, 4.0: 850}
WANTED_OVERHEAD = 0.005
WANTED_PREFILL = 0.7


def verdict(holds, wanted):
    return f"{wanted} {'reached' if holds else 'NOT reached'}"


def product_rows(found):
    products = {(p["rows"], p["cols"], p["bits"], p["tokens"]): p for p in found if p["kind"] == "product"}
    cublas = {(p["rows"], p["cols"], p["tokens"]): p["us"] for p in found if p["kind"] == "cublas"}
    for (rows, cols, bits, tokens), p in products.items():
        name = f"{rows}x{cols}, {bits} bits, {tokens} row{'s' if tokens > 1 else ''}"
        figure = f"{p['us']:9.2f} us {p['gbps']:8.1f} GB/s {p['of_copy']:6.3f} of copy"
        one = products[rows, cols, bits, 1]["us"]
        notes = []
        if tokens > 1:
            figure += f" {p['us'] / one:6.2f}x one row"
            if tokens == 4 and (rows, cols) in WANTED_SHAPES:
                notes.append(verdict(p["us"] <= WANTED_FOUR_ROWS * one, f"<= {WANTED_FOUR_ROWS}x"))
        elif (rows, cols) in WANTED_SHAPES and bits in WANTED_OF_COPY:
            notes.append(verdict(p["of_copy"] >= WANTED_OF_COPY[bits], f">= {WANTED_OF_COPY[bits]}"))
        if (rows, cols, tokens) in cublas:
            notes.append(f"cuBLAS f16 {cublas[rows, cols, tokens]:.2f} us")
        yield "product", name, figure, "; ".join(notes)


def model_rows(found):
    for p in found:
        if p["kind"] == "decode":
            figure = f"{1e6 / p['device_us']:8.1f} tokens/s ({1e6 / p['wall_us']:.1f} with the host)"
            notes = [f"{p['kernels']} kernels, {p['kernels_per_layer']:.1f} per layer"]
            if p["model"] == "Llama-3-8B" and p["bits"] == 4:
                notes.append(verdict(1e6 / p["device_us"] >= WANTED_TOKENS[4.0], f">= {WANTED_TOKENS[4.0]}"))
            if not p["finite"]:
                notes.append("logits are NOT finite")
            yield "decode", f"{p['model']}, {p['bits']} bits, context {p['context']}", figure, "; ".join(notes)
        elif p["kind"] == "dynamic":
            name = f"{p['model']}, {p['estimator']} ({p['inputs']}), target {p['target']:.2f}"
            figure = f"{1e6 / p['device_us']:8.1f} tokens/s ({1e6 / p['wall_us']:.1f} with the host)"
            wanted = WANTED_TOKENS.get(p["target"])
            notes = [f"{p['average_bits']:.3f} bits; selecting them {100 * p['overhead']:+.2f} %"]
            notes.append(verdict(p["overhead"] <= WANTED_OVERHEAD, f"<= {100 * WANTED_OVERHEAD} %"))
            notes.append(f"{p['fixed_average_bits']:.3f} fixed bits {1e6 / p['fixed_device_us']:.1f} tokens/s")
            notes.append(f"{100 * p['changed']:.0f} % of decisions change per token")
            if wanted is not None and p["model"] == "Llama-3-8B":
                notes.append(verdict(1e6 / p["device_us"] >= wanted, f">= {wanted} tokens/s"))
            yield "dynamic", name, figure, "; ".join(notes)


def prefill_rows(found):
    cublas = {p["model"]: p for p in found if p["kind"] == "cublas_prefill"}
    for p in found:
        if p["kind"] != "prefill":
            continue
        figure = f"{1e6 * p['tokens'] / p['device_us']:8.1f} tokens/s"
        other = cublas.get(p["model"])
        if other is None or other["tokens"] != p["tokens"]:
            note = "cuBLAS not measured"
        else:
            ratio = other["us"] / p["device_us"]
            note = f"{ratio:.3f} of cuBLAS f16 products; {verdict(ratio >= WANTED_PREFILL, f'>= {WANTED_PREFILL}')}"
        yield "prefill", f"{p['model']}, {p['tokens']} tokens", figure, note


def main():
    with open(sys.argv[1]) as file:
        found = [json.loads(line) for line in file if line.startswith("{")]
    for p in found:
        if p["kind"] == "device":
            print(f"{p['name']}, compute capability {p['capability']}, {p['multiprocessors']} multiprocessors, "
                  f"copy {p['copy_gbps']} GB/s")
    for kind, name, figure, note in [*model_rows(found), *prefill_rows(found), *product_rows(found)]:
        print(f"{kind:8} {name:62} {figure}{'  | ' + note if note else ''}")
    for p in found:
        if p["kind"] == "skipped":
            print(f"not measured, for lack of time: {p['what']}")
    if len(sys.argv) > 2:
        with open(sys.argv[2], "w") as file:
            json.dump(found, file, indent=1)


main()
