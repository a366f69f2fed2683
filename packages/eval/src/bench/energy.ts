import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'

/** Counts the energy that the machine's processors use. */
export interface EnergyMeter {
  /** Joules since the last call, or since the meter was opened. To be called every few seconds: counters run over. */
  joules(): Promise<number>
}

/** What a meter counts over something that takes long. */
export interface EnergySum {
  /** Counts from now on. */
  begin(): Promise<void>
  /** To be called between steps, so that no counter runs over twice: reads the meter where it is time to. */
  keepUp(): Promise<void> | undefined
  /** Joules since `begin`. */
  joules(): Promise<number>
}

/** Counters of 2^32 µJ, the smallest there are, run over after 14 s at 300 W. */
const LONGEST_MS = 5_000

/** @param now clock in milliseconds */
export function createEnergySum(meter: EnergyMeter, now: () => number = () => performance.now()): EnergySum {
  let sum = 0
  let lastRead = 0
  const add = async () => {
    lastRead = now()
    sum += await meter.joules()
  }
  return {
    async begin() {
      await add()
      sum = 0
    },
    keepUp: () => (now() - lastRead < LONGEST_MS ? undefined : add()),
    async joules() {
      await add()
      return sum
    },
  }
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
