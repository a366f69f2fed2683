// Writes vectors.json from the built package: `npm run vectors` after `npm run build`. What is in `exact` must never change
// again; look at the difference before you commit it.
import { writeFileSync } from 'node:fs'
import * as estimators from '@dpllm/estimators'
import { computeVectors } from './compute-vectors.mjs'

writeFileSync(new URL('../vectors.json', import.meta.url), `${JSON.stringify(await computeVectors(estimators), null, 2)}\n`)
