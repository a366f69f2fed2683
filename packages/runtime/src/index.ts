export {
  automaticBackend,
  type BackendName,
  type BackendOptions,
  type BackendProbe,
  createBackend,
  probeBackends,
} from './backends/create-backend.js'
export type { Family, ModelConfig, RopeConfig } from './config/model-config.js'
export { parseModelConfig, type ReadConfigOptions, readModelConfig } from './config/read-config.js'
export type { Quantization } from './config/schema.js'
export { type BitPlaneModule, moduleTensors } from './folder/bit-plane-module.js'
export { addConfigSection } from './folder/config-section.js'
export { copyTensor } from './folder/copy-tensor.js'
export { copySideFiles, findSideFiles, isSideFile } from './folder/side-files.js'
export { collect, type Generated } from './generate/collect.js'
export type { Decoder, StepOutput } from './generate/decoder.js'
export { generate, PREFILL_CHUNK } from './generate/generate.js'
export type { FinishReason, GenerateOptions, GeneratePart, Prompt, Timings } from './generate/options.js'
export {
  type ExportAnyPrecisionOptions,
  type ExportedModel,
  exportAnyPrecision,
} from './import/any-precision/export-any-precision.js'
export {
  type ImportAnyPrecisionOptions,
  type ImportedAnyPrecision,
  importAnyPrecision,
} from './import/any-precision/import-any-precision.js'
export { type ImportDpLlmOptions, type ImportedProfile, importDpLlm } from './import/dp-llm/import-dp-llm.js'
export type { ImportedModel } from './import/imported-model.js'
export { type ImportLlama2cOptions, importLlama2c } from './import/llama2c/import-llama2c.js'
export { describeLinears, effectiveBits, type LinearInfo } from './model/linears.js'
export { type LoadOptions, loadModel } from './model/load-model.js'
export { createModel, type Model, type ModelParts } from './model/model.js'
export { countParameters } from './models/count-parameters.js'
export { type DecoderOptions, type DecoderProgram, decoderProgram } from './models/decoder.js'
export type { SelectInputs } from './models/select-inputs.js'
export { type AdaptivePolicy, createAdaptivePolicy } from './precision/adaptive-policy.js'
export { choosePrecision, type Precision, type PrecisionContext, type PrecisionRequest } from './precision/choose-precision.js'
export { createFeedback, FEEDBACK_HORIZON, type Feedback } from './precision/feedback.js'
export { meanBits } from './precision/mean-bits.js'
export { type RequestPolicy, requestPolicy } from './precision/request-policy.js'
export type { TargetCurve } from './precision/target-curve.js'
export { hasTarget, type ProfileTarget, profileTargets, targetRange } from './precision/targets.js'
export { type SizedLinear, thresholdCurve } from './precision/threshold-curve.js'
export type { DecisionData, FixedTargetData } from './profile/fixed-schema.js'
export { checkProfileName, listProfiles, type Profile, probeName, projectionName, selectInputsOf } from './profile/profile.js'
export { readProfile, readProfileData } from './profile/read-profile.js'
export type {
  BudgetPolicyData,
  FixedPolicyData,
  PolicyData,
  ProfileData,
  StaticPolicyData,
  ThresholdPolicyData,
} from './profile/schema.js'
export { writeProfile } from './profile/write-profile.js'
export { draw } from './sampling/draw.js'
export { greedy } from './sampling/greedy.js'
export { minP } from './sampling/min-p.js'
export { createSampler, type Sample, type Sampler, type SamplingOptions } from './sampling/sampler.js'
export { logSumExp } from './sampling/softmax.js'
export { topK } from './sampling/top-k.js'
export { topP } from './sampling/top-p.js'
export {
  type ChatMessage,
  type ChatTemplate,
  loadChatTemplate,
  type RenderChatOptions,
  renderChat,
} from './text/chat-template.js'
export { createStopFilter, type StopFilter } from './text/stop-strings.js'
export type { TokenDecoder } from './text/token-decoder.js'
export { type DecodeOptions, loadTokenizer, type StreamOptions, type Tokenizer } from './text/tokenizer.js'
