import { FileFormatError, floatDTypes, InvalidArgumentError, MAX_BITS, MIN_BITS } from '@dpllm/core'
import { type Checkpoint, expectTensor, type TensorInfo } from '@dpllm/core/node'
import { type BitPlaneModule, decoderProgram, type ModelConfig, moduleTensors } from '@dpllm/runtime'

/** Bit counts of a quantized model. */
export interface BitCounts {
  /** Bits of the seed clustering, the fewest that the model can be read at. */
  readonly seedBits: number
  /** Most bits of the linears in the decoder blocks. */
  readonly maxBits: number
  /** Most bits of the output head; false leaves it as it is. */
  readonly headBits: number | false
}

/** A matrix that becomes bit-planes. */
export interface QuantizedModule extends BitPlaneModule {
  /** Where its weights are; the embedding for a tied head. */
  readonly source: TensorInfo
}

/** What is read and written together: the tensors of one decoder block, the head, or all others. */
export interface Unit {
  readonly modules: readonly QuantizedModule[]
  readonly copies: readonly TensorInfo[]
}

const HEAD = 'lm_head'
const EMBEDDING = 'model.embed_tokens.weight'
const BLOCK = /^model\.layers\.(\d+)\./
const LINEAR = /^model\.layers\.\d+\..*_proj\.weight$/

/**
 * Decides what becomes of every tensor and checks, before anything is written, that all that the model needs is there
 * in the right shape. Quantized are the linears of the decoder blocks (modules named *_proj) and the head; everything
 * else is copied, but for tensors of dtypes that are not read (I64 buffers of old checkpoints): no program needs them.
 * @returns units in the order of the model: embedding and norms, the decoder blocks, the head
 * @throws FileFormatError naming file and tensor; InvalidArgumentError for bit counts
 */
export function planUnits(checkpoint: Checkpoint, config: ModelConfig, bits: BitCounts): Unit[] {
  checkBits(bits)
  const { seedBits, maxBits, headBits } = bits
  const linears = new Map<string, QuantizedModule>()
  for (const { name, shape } of requiredTensors(config)) {
    const source = expectTensor(checkpoint, name, floatDTypes, shape)
    if (LINEAR.test(name)) {
      const module = name.slice(0, -'.weight'.length)
      linears.set(name, { name: module, source, rows: shape[0], cols: shape[1], seedBits, maxBits })
    }
  }

  const blocks = Array.from({ length: config.layers }, () => ({ modules: [] as QuantizedModule[], copies: [] as TensorInfo[] }))
  const others: TensorInfo[] = []
  for (const info of checkpoint.tensors.values()) {
    if (info.name === `${HEAD}.weight` && headBits !== false) continue
    const block = blocks[Number(BLOCK.exec(info.name)?.[1] ?? -1)]
    const linear = linears.get(info.name)
    if (linear) block.modules.push(linear)
    else (block?.copies ?? others).push(info)
  }
  const units: Unit[] = [{ modules: [], copies: others }, ...blocks]
  if (headBits !== false) {
    const name = config.tiedEmbeddings ? EMBEDDING : `${HEAD}.weight`
    const [rows, cols] = [config.vocabularySize, config.hiddenSize]
    const source = expectTensor(checkpoint, name, floatDTypes, [rows, cols])
    units.push({ modules: [{ name: HEAD, source, rows, cols, seedBits, maxBits: headBits }], copies: [] })
  }
  checkNames(checkpoint, units)
  return units
}

function checkBits({ seedBits, maxBits, headBits }: BitCounts): void {
  const check = (argument: string, value: number, least: number) => {
    if (!Number.isInteger(value) || value < least || value > MAX_BITS) {
      throw new InvalidArgumentError(argument, `an integer from ${least} to ${MAX_BITS}`, value)
    }
  }
  check('seedBits', seedBits, MIN_BITS)
  check('maxBits', maxBits, seedBits)
  if (headBits !== false) check('headBits', headBits, seedBits)
}

function requiredTensors(config: ModelConfig) {
  const { weights, frequencies } = decoderProgram(config)
  return weights.filter(({ name }) => name !== frequencies)
}

/** No tensor of the source may have the name of one that is made. */
function checkNames(checkpoint: Checkpoint, units: readonly Unit[]): void {
  for (const { name } of units.flatMap((unit) => unit.modules.flatMap(moduleTensors))) {
    const info = checkpoint.tensors.get(name)
    if (info)
      throw new FileFormatError(info.file, 'a tensor of this name is to be written: is the model quantized already?', {
        item: name,
      })
  }
}
