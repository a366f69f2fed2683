const THOUSANDS = ['', 'k', 'M', 'B', 'T']
const BYTES = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** 1234567 → 1.23M, with three digits. */
export function formatCount(n: number): string {
  return scaled(n, 1000, THOUSANDS, '')
}

/** 1234567 → 1.18 MiB, with three digits. */
export function formatBytes(n: number): string {
  return scaled(n, 1024, BYTES, ' ')
}

/** 75 → 1:15, 4000 → 1:06:40. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds)
  const two = (n: number) => String(n).padStart(2, '0')
  const minutes = Math.floor(whole / 60)
  return whole < 3600 ? `${minutes}:${two(whole % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`
}

function scaled(n: number, base: number, units: readonly string[], space: string): string {
  let value = n
  let unit = 0
  while (value >= base && unit < units.length - 1) {
    value /= base
    unit++
  }
  const text = unit === 0 && Number.isInteger(value) ? String(value) : value.toPrecision(3)
  // toPrecision writes 1023.6 as 1.02e+3.
  return `${text.includes('e') ? value.toFixed(0) : text}${space}${units[unit]}`.trimEnd()
}
