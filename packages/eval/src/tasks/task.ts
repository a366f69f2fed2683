/** What a sample's answer was worth. */
export interface Grade {
  /** What was taken for the answer. */
  readonly answer: string
  /** By metric. */
  readonly scores: Readonly<Record<string, number>>
}

interface SampleBase {
  /** Unique in its task; stable. */
  readonly id: string
  /** Part of the task that is reported by itself (a subtask of BBH). */
  readonly group?: string
  /** The right answer, for people. */
  readonly target: string
}

/** A question that is answered by generating text, greedily. */
export interface GenerationSample extends SampleBase {
  readonly kind: 'generation'
  readonly prompt: string
  /** Texts that end the answer. */
  readonly stop: readonly string[]
  readonly maxTokens: number
  grade(response: string): Grade | Promise<Grade>
}

/** A text and how it goes on. */
export interface TextPair {
  readonly context: string
  readonly continuation: string
}

/** How likely a model finds a continuation. */
export interface Likelihood {
  /** Sum over the continuation's tokens, in nats. */
  readonly logLikelihood: number
  /** Whether each of its tokens is the likeliest one. */
  readonly greedy: boolean
}

/** A question that is answered by comparing log-likelihoods. */
export interface LikelihoodSample extends SampleBase {
  readonly kind: 'likelihood'
  readonly pairs: readonly TextPair[]
  grade(likelihoods: readonly Likelihood[]): Grade
}

export type TaskSample = GenerationSample | LikelihoodSample

/** How the scores of samples become one figure: their mean, or of log-likelihoods the exponential of minus their mean. */
export interface Metric {
  readonly name: string
  readonly aggregate: 'mean' | 'perplexity'
}

/** Runs a Python program; see `createPythonRunner`. */
export type RunProgram = (program: string, signal?: AbortSignal) => Promise<'passed' | 'failed' | 'timed out'>

/** Where a task's questions come from. */
export interface TaskSource {
  /** The dataset's file, or folder if the task has one. */
  readonly data: string
  /** The file with the examples that stand before a question; default where the task's data have them. */
  readonly examples?: string | undefined
  /** Examples before each question; default the task's. */
  readonly shots?: number | undefined
  /** For tasks whose answers are programs. */
  readonly runProgram?: RunProgram | undefined
}

/** A way to ask and score: prompts, examples, stop strings, filters and scores as lm-evaluation-harness defines them. */
export interface Task {
  readonly name: string
  /** One line for people. */
  readonly description: string
  /** Usual number of examples before each question. */
  readonly shots: number
  readonly metrics: readonly Metric[]
  /** Whether answers are programs that have to run. */
  readonly runsPrograms: boolean
  /**
   * All samples, in the order in which they are asked.
   * @throws FileFormatError for data that are not the task's; InvalidArgumentError for missing examples
   */
  load(source: TaskSource): Promise<readonly TaskSample[]>
}
