#include "kernels/select.h"

namespace dpllm {

#if defined(DPLLM_X86)
static bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}

static bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vnni");
}
#endif

std::vector<const Kernels*> available_kernels() {
  std::vector<const Kernels*> found;
#if defined(DPLLM_X86)
  __builtin_cpu_init();
  if (has_avx512()) found.push_back(&avx512_kernels);
  if (has_avx2()) found.push_back(&avx2_kernels);
#endif
#if defined(DPLLM_NEON)
  found.push_back(&neon_kernels);  // part of every 64-bit ARM
#endif
  found.push_back(&generic_kernels);
  return found;
}

const Kernels* find_kernels(const std::string& name) {
  for (const Kernels* kernels : available_kernels()) {
    if (name == "auto" || name == kernels->name) return kernels;
  }
  return nullptr;
}

}  // namespace dpllm
