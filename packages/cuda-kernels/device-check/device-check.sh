#!/usr/bin/env bash
# On a machine with a GPU, nvcc, CMake, ninja and python3 (with PyTorch for cuBLAS; Node may be absent), in less than nine
# minutes: builds, runs every operator case, runs them again as graphs, runs small ones under compute-sanitizer, measures
# kernels and whole steps, and prints one table. With --host all of it but what needs a GPU, on the kernels on the host.
#
# The cases and the programs to measure come from a machine with Node:
#   DPLLM_EXPORT_CASES=packages/cuda-kernels/device-check/build/cases npx vitest run export-cases test/device-check
# CASES is that folder, ARCH the GPU's compute capability, OUT where measurements go as JSON, ONLY a part of cases' names,
# LIMIT the seconds in all, BENCHMARK what benchmark.cpp takes.
set -uo pipefail
cd "$(dirname "$0")"
mode=device
[ "${1:-}" = --host ] && mode=host
cases=$(realpath "${CASES:-build/cases}")
build=${BUILD:-build/$mode}
out=${OUT:-$build}
for file in cases.json cases.bin benchmark.json; do
  [ -f "$cases/$file" ] || { echo "no $cases/$file: see the head of this file" >&2; exit 2; }
done
mkdir -p "$build" "$out"
left() { echo $((${LIMIT:-530} - SECONDS)); }
failed=0

options=(-DDPLLM_HOST=ON)
[ $mode = device ] && options=("-DCMAKE_CUDA_ARCHITECTURES=${ARCH:-90}")
command -v ninja > /dev/null && options+=(-G Ninja)
cmake -S . -B "$build" "${options[@]}" > "$build/configure.log" || { cat "$build/configure.log"; exit 2; }
cmake --build "$build" --parallel "$(nproc)" > "$build/build.log" || { tail -50 "$build/build.log"; exit 2; }
echo "== built in $SECONDS s"
check=("$build/check_cases" "$cases/cases.json" "$cases/cases.bin")

echo "== operator cases"
"${check[@]}" --only "${ONLY:-}" || failed=1
echo "== as graphs"
"${check[@]}" --only "${ONLY:-}" --graphs | tail -1 || failed=1

# One tool after another, each on fewer cases and no longer than its share.
sanitize() {
  local tool=$1 limit=$2 only
  shift 2
  for only in "$@"; do
    echo "== $tool, cases with '$only'"
    timeout "$limit" compute-sanitizer --tool "$tool" --error-exitcode 3 "${check[@]}" --only "$only" > "$build/$tool.log" 2>&1
    local code=$?
    tail -2 "$build/$tool.log"
    [ $code = 124 ] && echo "stopped after $limit s"
    [ $code = 0 ] || [ $code = 124 ] || failed=1
  done
}
if [ $mode = device ]; then
  sanitize memcheck 25 ' 64x172' 'attention H=8' 'rope' 'select exact 3|4' 'klDivergence' 'T=7 p=5'
  sanitize racecheck 20 'attention H=8' 'klDivergence'
  sanitize synccheck 20 'attention H=8' 'klDivergence'
  echo "== checked after $SECONDS s"
fi

measured=$out/measurements.jsonl
: > "$measured"
# cuBLAS needs about a minute.
read -ra benchmark_options <<< "${BENCHMARK:-}"
"$build/benchmark" "$cases/benchmark.json" --seconds $(($(left) - 80)) "${benchmark_options[@]}" >> "$measured" || failed=1
if [ $mode = device ] && python3 -c 'import torch' 2> /dev/null; then
  timeout "$(left)" python3 cublas.py "$cases/benchmark.json" >> "$measured" || echo "cuBLAS was not measured to the end"
fi
echo "== measured after $SECONDS s"
python3 report.py "$measured" "$out/device-check.json" | tee "$out/device-check.txt" || failed=1
[ $failed = 0 ] && echo "device-check passed" || echo "device-check FAILED"
exit $failed
