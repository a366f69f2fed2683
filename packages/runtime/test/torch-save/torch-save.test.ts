import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { dict, float, int, numpy, orderedDict, type PythonValue, storage, tensor, tuple } from './python-values.js'
import { dataPkl } from './torch-save.js'

const key = (block: number, name: string) => tuple(int(block), name)
const scalar = (of: Parameters<typeof storage>) => tensor(storage(...of), [])
const embedding = tensor(storage('f16', new Uint16Array(12)), [4, 3])
const version = () => dict([['version', int(1)]])
const np = numpy('numpy._core')

// SHA-256 of the data.pkl that torch 2.13.0 with numpy 2.4.6 writes for these values, so that what other tests read is
// what torch.save writes.
test.each<[name: string, value: PythonValue, hash: string]>([
  [
    'a state dict with a tied head, strides and _metadata',
    orderedDict(
      [
        ['model.embed_tokens.weight', embedding],
        ['lm_head.weight', embedding],
        ['a.qweight', tensor(storage('i32', new Int32Array(6)), [3, 2, 1])],
        ['t', tensor(storage('f32', new Float32Array(6)), [3, 2], { strides: [1, 3] })],
        ['b', tensor(storage('bf16', new Uint16Array(2)), [2])],
      ],
      [
        [
          '_metadata',
          orderedDict([
            ['', version()],
            ['model', version()],
          ]),
        ],
      ],
    ),
    '58b70570a629730098bf9ae46192081395089a5f618811855594708d54025675',
  ],
  [
    'thresholds',
    dict([
      [key(0, 'q_proj'), tuple(int(3), int(4), scalar(['f32', Float32Array.of(0.5)]))],
      [key(0, 'k_proj'), tuple(int(-1), int(-1), scalar(['i64', BigInt64Array.of(1n)]))],
      [key(1, 'q_proj'), tuple(int(3), int(4), scalar(['f32', Float32Array.of(Number.POSITIVE_INFINITY)]))],
    ]),
    '2d0f18d33dbd8d7fee50c95a913c51e69b7c7a426bbae2e2139b77e160751566',
  ],
  [
    'scalars of numpy',
    dict([
      [key(0, 'q_proj'), tuple(np.f64(0.1), np.f64(0.2), np.f64(0.95), int(3), int(4))],
      [key(0, 'k_proj'), tuple(float(0.1), float(0.2), float(0.3), int(3), int(4))],
    ]),
    '2727ef15a4a3305bce0e64e0f31c83f65b91bbd287b507f539a5d89102d59566',
  ],
  [
    'an array of numpy',
    dict([['x', np.array('u1', [1, 1, 6], Uint8Array.of(0, 1, 2, 3, 4, 5))]]),
    '318db26aa8cf929d268dff0507f994b13666f9dec71f3a3b73921570f667e919',
  ],
  [
    'a tensor with requires_grad',
    dict([[key(0, 'q_proj'), tensor(storage('f16', new Uint16Array(8)), [2, 4], { requiresGrad: true })]]),
    '4a84bbf047e23ab80aceecb248c0658ab710d907a51938d485ee6089f339e3b9',
  ],
  [
    'more tensors than numbers of one byte',
    orderedDict(
      Array.from({ length: 1500 }, (_, i) => [`layers.${i}.weight`, tensor(storage('f32', new Float32Array(600)), [2, 300])]),
    ),
    '2a5edfbca8481657761bf83d6a83fb9cbdb9444ff2608edcd59a2ac3d7f491ce',
  ],
])('the pickler of the tests writes %s as torch.save does', (_, value, hash) => {
  expect(createHash('sha256').update(dataPkl(value)).digest('hex')).toBe(hash)
})
