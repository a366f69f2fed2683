// The table of one instruction set; DPLLM_KERNELS and DPLLM_KERNELS_NAME are given.
const Kernels DPLLM_KERNELS = {
    DPLLM_KERNELS_NAME, PANEL,
    widen, narrow_f16, add, gate, rms_norm, rope, max, sum_exp, scaled_exp,
    gate_gradient, rms_norm_gradient,
    dense_gemv, activation_bytes, quantize_activations, bit_plane_gemv, bit_plane_gemm, bit_plane_gemm_scratch,
    pack_panel, bit_plane_tile_row, multiply_tile, unpack_panel,
    accumulate_tile, accumulate_codes,
    attention_block, attention_queries, softmax_gradient_columns, softmax_gradient_rows,
};
