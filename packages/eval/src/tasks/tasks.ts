import { bbh } from './bbh.js'
import { arc, hellaswag, piqa, winogrande } from './choice-tasks.js'
import { gsm8k } from './gsm8k.js'
import { lambada } from './lambada.js'
import { math500 } from './math500.js'
import { mbpp } from './mbpp.js'
import type { Task } from './task.js'

/** All tasks. */
export const tasks: readonly Task[] = [gsm8k, bbh, math500, mbpp, arc, hellaswag, piqa, winogrande, lambada]
