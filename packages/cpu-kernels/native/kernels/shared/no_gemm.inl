// For instruction sets without a bit-plane matrix product for many vectors of integers.
constexpr decltype(Kernels::bit_plane_gemm) bit_plane_gemm = nullptr;
constexpr size_t bit_plane_gemm_scratch = 0;
