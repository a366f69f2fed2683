/**
 * The linears of layers of Llama-3-8B. `input` chains them for engines that run graphs: what is not read by the chain is an output.
 * @param {number} layers
 */
export function layerLinears(layers) {
  return Array.from({ length: layers }, (_, i) => {
    const before = i === 0 ? 'x' : `${i - 1}.down`
    return [
      { name: `${i}.q`, rows: 4096, cols: 4096, input: before },
      { name: `${i}.k`, rows: 1024, cols: 4096, input: before },
      { name: `${i}.v`, rows: 1024, cols: 4096, input: before },
      { name: `${i}.o`, rows: 4096, cols: 4096, input: `${i}.q` },
      { name: `${i}.gate`, rows: 14336, cols: 4096, input: `${i}.o` },
      { name: `${i}.up`, rows: 14336, cols: 4096, input: `${i}.o` },
      { name: `${i}.down`, rows: 4096, cols: 14336, input: `${i}.gate` },
    ]
  }).flat()
}
