export { type BenchModel, type BenchOptions, type BenchRow, bench } from './bench/bench.js'
export { benchKernels, type KernelOptions, type KernelRow } from './bench/bench-kernels.js'
export { type EnergyMeter, openEnergyMeter } from './bench/energy.js'
export { knownShapes, type ShapeName } from './bench/known-shapes.js'
export { inputOfWidth, type LinearShape, linearProgram } from './bench/linear-program.js'
export { type RandomModel, type RandomModelOptions, randomModel } from './bench/random-model.js'
export { fastRandomPlanes } from './bench/random-planes.js'
export { type CompareOptions, type Comparison, compareSpeed } from './compare/compare-speed.js'
export { type Contender, type ModelContenderOptions, modelContender } from './compare/contender.js'
export { type LlamaCppOptions, type NodeLlamaCpp, openLlamaCpp, PeerUnavailableError } from './compare/llama-cpp.js'
export { interleavedRounds, medianOf, type Ratio, type RoundOptions, ratioOf, type Turn } from './compare/rounds.js'
export { type SpeedPoint, speedChart } from './compare/speed-chart.js'
export { type DocumentOptions, readDocuments } from './data/read-documents.js'
export { readRows } from './data/read-rows.js'
export type { Row } from './data/row.js'
export type { BitHistogram } from './latency/bit-histogram.js'
export {
  type LatencyModel,
  type LatencyOptions,
  type LatencyRequest,
  type LatencyResult,
  type LatencyTarget,
  measureLatency,
} from './latency/measure-latency.js'
export { type OverheadOptions, type SelectorOverhead, selectorOverhead } from './latency/selector-overhead.js'
export { type Chunk, type ChunkOptions, cutIntoChunks, type Protocol, protocols, usualContext } from './perplexity/chunks.js'
export { comparePredictions, type DivergenceModel, type DivergenceResult, divergence } from './perplexity/divergence.js'
export { type PerplexityResult, perplexity } from './perplexity/perplexity.js'
export type { PerplexityModel, PerplexityOptions } from './perplexity/prepare.js'
export { chunkLosses, type Mean, meanOf, pairedDifference, type TokenLosses } from './perplexity/statistics.js'
export { reportCsv } from './report/csv.js'
export { figureSvg } from './report/draw-figure.js'
export type { Figure, Section, Table } from './report/figure.js'
export { makeReport, type Report, type ReportOptions } from './report/make-report.js'
export { type PageOptions, reportPage } from './report/page/page.js'
export { figurePng } from './report/png.js'
export { type ReportFiles, type WriteReportOptions, writeReport } from './report/write-report.js'
export type { RequestModel, RequestOptions } from './requests/ask-request.js'
export { type RequestBits, type RequestBitsOptions, requestBits } from './requests/request-bits.js'
export { type Spread, spreadOf } from './requests/spread.js'
export { type PlanOptions, planSweep, runsPrograms } from './sweep/plan-sweep.js'
export { readSweepResults, type SweepResults } from './sweep/read-sweep-results.js'
export type { JobFailure } from './sweep/result-store.js'
export { runSweep, type SweepOptions, type SweepSummary } from './sweep/run-sweep.js'
export { parseSweep, readSweep, type Sweep } from './sweep/sweep-file.js'
export { describeJob, type SweepJob, shellCommand } from './sweep/sweep-job.js'
export { type JobKind, jobKinds, type RunRecord, type SweepResult, sweepResultSchema } from './sweep/sweep-result.js'
export { type AskOptions, answerSample, type SampleResult, type TaskModel } from './tasks/answer.js'
export { type LikelihoodModel, type LikelihoodOptions, type Likelihoods, scorePairs } from './tasks/likelihood.js'
export { equivalent } from './tasks/math/equivalent.js'
export { modelIdentity } from './tasks/model-identity.js'
export { createPythonRunner, type PythonRunner, type PythonRunnerOptions } from './tasks/python/create-python-runner.js'
export { openResultFile, type ResultFile, type RunIdentity } from './tasks/result-file.js'
export { type RunTaskOptions, runTask } from './tasks/run-task.js'
export { type GroupSummary, type Score, summarize, type TaskSummary } from './tasks/summarize.js'
export type {
  GenerationSample,
  Grade,
  Likelihood,
  LikelihoodSample,
  Metric,
  RunProgram,
  Task,
  TaskSample,
  TaskSource,
  TextPair,
} from './tasks/task.js'
export { tasks } from './tasks/tasks.js'
