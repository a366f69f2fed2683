// `node scripts/results/cpu/measure-one.mjs NAME JSON FILE`: runs one of measurements/ in a process of its own and writes what it
// found. Its result is numbers and arrays of them.
import { renameSync, writeFileSync } from 'node:fs'

const [name, options, file] = process.argv.slice(2)
const { measure } = await import(`./measurements/${name}.mjs`)
const result = await measure(JSON.parse(options))
const plain = (_, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value)
writeFileSync(`${file}.tmp`, JSON.stringify(result, plain))
renameSync(`${file}.tmp`, file)
// Threads of the engines may not end by themselves.
process.exit(0)
