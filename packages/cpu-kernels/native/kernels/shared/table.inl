// The table of one instruction set; DPLLM_KERNELS and DPLLM_KERNELS_NAME are given.
const Kernels DPLLM_KERNELS = {
    DPLLM_KERNELS_NAME, PANEL,
    widen, narrow_f16, add, gate, rms_norm, rope, max, sum_exp,
    dense_gemv, activation_bytes, quantize_activations, bit_plane_gemv,
    pack_panel, bit_plane_tile_row, multiply_tile,
    attention_block, attention_query,
};
