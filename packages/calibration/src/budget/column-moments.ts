/** Keeps columns that never change from being divided by 0. */
const LEAST_DEVIATION = 1e-6

/** Mean and standard deviation of every column of a matrix f32 [rows, width]. */
export function columnMoments(data: Float32Array, width: number): { means: Float64Array; deviations: Float64Array } {
  const rows = data.length / width
  const means = new Float64Array(width)
  const squares = new Float64Array(width)
  for (let begin = 0; begin < data.length; begin += width) {
    for (let k = 0; k < width; k++) means[k] += data[begin + k] / rows
  }
  for (let begin = 0; begin < data.length; begin += width) {
    for (let k = 0; k < width; k++) squares[k] += (data[begin + k] - means[k]) ** 2 / rows
  }
  return { means, deviations: squares.map((square) => Math.sqrt(square) + LEAST_DEVIATION) }
}
