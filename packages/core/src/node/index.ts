export { type Allocate, type ReadBytesOptions, readBytes, writeBytes } from './bytes.js'
export { type Checkpoint, openCheckpoint } from './checkpoint.js'
export {
  CHECKPOINT_FILE,
  CHECKPOINT_INDEX_FILE,
  MAX_SHARDS,
  readCheckpointIndex,
  shardFileName,
  writeCheckpointIndex,
} from './checkpoint-index.js'
export { exists } from './exists.js'
export { expectTensor, requireTensor } from './expect-tensor.js'
export { MAX_JSON_BYTES, readJson, readText } from './read-json.js'
export { openRegularFile, type RegularFile } from './regular-file.js'
export { replaceFolder } from './replace-folder.js'
export {
  type OpenOptions,
  openSafetensors,
  type ReadOptions,
  type SafetensorsFile,
  type TensorInfo,
  type TensorSource,
} from './safetensors-file.js'
export { readError, writeError } from './system-error.js'
export { writeFileAtomic, writeWhole } from './temporary-file.js'
export { writeCheckpoint } from './write-checkpoint.js'
export { type TensorData, type TensorEntry, type WriteOptions, writeSafetensors } from './write-safetensors.js'
