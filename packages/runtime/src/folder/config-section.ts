import type { BitPlaneModule } from './bit-plane-module.js'

/** Version of the layout of quantized folders (docs/file-format.md). */
const FORMAT = 1

/**
 * The text of config.json with the member "dpllm" added. The text around it stays as it is, since parsing and printing
 * again would change how numbers are written.
 * @param text a JSON object without that member
 * @param bits of the linears in the decoder blocks
 */
export function addConfigSection(
  text: string,
  bits: { readonly seedBits: number; readonly maxBits: number },
  modules: readonly BitPlaneModule[],
): string {
  const lines = modules.map((m) => {
    const bits = Array.from({ length: m.maxBits - m.seedBits + 1 }, (_, i) => m.seedBits + i)
    return `      ${JSON.stringify(m.name)}: ${JSON.stringify({ bits, rows: m.rows, cols: m.cols })}`
  })
  const section = [
    '  "dpllm": {',
    `    "format": ${FORMAT},`,
    `    "seedBits": ${bits.seedBits},`,
    `    "maxBits": ${bits.maxBits},`,
    '    "quantizedModules": {',
    lines.join(',\n'),
    '    }',
    '  }',
  ].join('\n')
  const members = text.trimEnd().slice(0, -1).trimEnd()
  return `${members}${members.endsWith('{') ? '' : ','}\n${section}\n}\n`
}
