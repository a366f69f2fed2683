import { spawn } from 'node:child_process'
import { importPackage } from '../../../lib/packages.mjs'
import { eightB, llamaTypes, openRandomLlama, openRandomModel, ours } from '../subjects.mjs'

const { interleavedRounds } = await importPackage('eval')
const TOKENS = Uint32Array.from({ length: 16 }, (_, i) => 100 + i)

/** Decode steps of both engines, with and without another process that is always busy: milliseconds of each round. */
export async function measure({ bits, threads, rounds = 7 }) {
  const model = await openRandomModel({ ...eightB, threads, bits })
  const llama = await openRandomLlama({ ...eightB, threads, type: llamaTypes[bits] })
  const contenders = [ours(model, bits), llama]
  const busy = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' })
  busy.kill('SIGSTOP')
  try {
    const quiet = contenders.map((contender) => () => contender.decode(TOKENS))
    const contended = quiet.map((run) => async () => {
      busy.kill('SIGCONT')
      await run()
      busy.kill('SIGSTOP')
    })
    const [oursQuiet, llamaQuiet, oursContended, llamaContended] = await interleavedRounds([...quiet, ...contended], { rounds })
    return { oursQuiet, llamaQuiet, oursContended, llamaContended }
  } finally {
    busy.kill('SIGKILL')
  }
}
