#!/usr/bin/env bash
# On a machine with a GPU, nvcc, CMake and ninja (Node may be absent): builds, runs every operator case, runs them again as
# graphs, and runs the small ones under compute-sanitizer. The cases come from a machine with Node, where
#   DPLLM_EXPORT_CASES=packages/cuda-kernels/device-check/build/cases npx vitest run packages/cuda-kernels/test/export-cases
# writes them. ARCH=90 is the GPU's compute capability.
set -uo pipefail
cd "$(dirname "$0")"
cases=${CASES:-build/cases}
build=${BUILD:-build/device}
[ -f "$cases/cases.json" ] || { echo "no $cases/cases.json: see the head of this file" >&2; exit 2; }
cmake -S . -B "$build" -G Ninja -DCMAKE_CUDA_ARCHITECTURES="${ARCH:-90}" > /dev/null && cmake --build "$build" || exit 2
check="$build/check_cases $cases/cases.json $cases/cases.bin"
failed=0

echo "== operator cases"
$check || failed=1
echo "== as graphs"
$check --graphs | tail -1 || failed=1
for tool in memcheck racecheck synccheck; do
  for only in ' 64x172' 'attention H=8' 'rope' 'select exact 3|4' 'klDivergence' 'T=7 p=5'; do
    echo "== $tool, cases with '$only'"
    compute-sanitizer --tool "$tool" --error-exitcode 3 $check --only "$only" 2>&1 | tail -2
    [ "${PIPESTATUS[0]}" = 0 ] || failed=1
  done
done
exit $failed
