import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { root, run } from '../../lib/run.mjs'

/** What we are measured against, as published; their packages for other platforms and GPUs are not fetched. */
const packages = {
  'node-llama-cpp': '3.22.1',
  [`@node-llama-cpp/${platformOfLlamaCpp()}`]: '3.22.1',
  'onnxruntime-node': '1.30.0',
}
const folder = `${root}models/results/peers/`
const entries = { 'node-llama-cpp': 'node-llama-cpp/dist/index.js', 'onnxruntime-node': 'onnxruntime-node/dist/index.js' }

/** Installs them in a folder of their own, unless these versions are there, without running scripts of theirs. */
export function ensurePeers() {
  const manifest = `${JSON.stringify({ private: true, dependencies: packages }, null, 2)}\n`
  // Written when it was done.
  const installed = `${folder}installed.json`
  if (existsSync(installed) && readFileSync(installed, 'utf8') === manifest) return
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}package.json`, manifest)
  run('npm', [
    'install',
    '--prefix',
    folder,
    '--ignore-scripts',
    '--omit=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ])
  writeFileSync(installed, manifest)
}

/** Their names and versions, for people. */
export function peerVersions() {
  return `node-llama-cpp ${packages['node-llama-cpp']}, onnxruntime-node ${packages['onnxruntime-node']}`
}

/** @param {'node-llama-cpp' | 'onnxruntime-node'} name */
export function importPeer(name) {
  return import(`${folder}node_modules/${entries[name]}`)
}

function platformOfLlamaCpp() {
  const { platform, arch } = process
  if (platform === 'darwin') return arch === 'arm64' ? 'mac-arm64-metal' : 'mac-x64'
  return `${platform === 'win32' ? 'win' : platform}-${arch}`
}
