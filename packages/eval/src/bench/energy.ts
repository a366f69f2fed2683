import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'

/** Counts the energy that the machine's processors use. */
export interface EnergyMeter {
  /** Joules since the last call, or since the meter was opened. To be called every minute or so: counters run over. */
  joules(): Promise<number>
}

/**
 * The processors' own meters (RAPL), as Linux shows them; to read them usually takes root, and virtual machines have none.
 * @param folder default /sys/class/powercap
 * @returns undefined where there is no meter that can be read
 */
export async function openEnergyMeter(folder = '/sys/class/powercap'): Promise<EnergyMeter | undefined> {
  const names = await readdir(folder).catch((): string[] => [])
  // Whole sockets: intel-rapl:0, AMD's as well. Their parts, intel-rapl:0:0, are counted in them.
  const zones = names.filter((name) => /^intel-rapl:\d+$/.test(name)).map((name) => path.join(folder, name))
  const counters = (await Promise.all(zones.map(openCounter))).filter((counter) => counter !== undefined)
  if (counters.length === 0) return undefined
  return {
    joules: async () => (await Promise.all(counters.map((counter) => counter()))).reduce((sum, joules) => sum + joules, 0),
  }
}

async function openCounter(zone: string): Promise<(() => Promise<number>) | undefined> {
  const read = async (file: string) => Number(await readFile(path.join(zone, file), 'utf8'))
  try {
    const range = await read('max_energy_range_uj')
    let last = await read('energy_uj')
    return async () => {
      const now = await read('energy_uj')
      const used = now >= last ? now - last : now + range - last
      last = now
      return used / 1e6
    }
  } catch {
    return undefined
  }
}
