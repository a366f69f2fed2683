/** Files of a repository that a model's folder needs; other formats of the same weights are left out. */
const wanted =
  /^(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|chat_template|model\.safetensors\.index)\.json$|^chat_template\.jinja$|^(LICENSE|README)(\.md|\.txt)?$|^model(-\d+-of-\d+)?\.safetensors$/

export function isModelFile(name: string): boolean {
  return name.length <= 255 && !name.startsWith('.') && !/[\\/:\p{Cc}]/u.test(name) && wanted.test(name)
}

/** `meta-llama/Llama-3.2-1B`: an owner and a name of the characters that the hub allows. */
export function isRepositoryName(name: string): boolean {
  return name.length <= 200 && /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(name)
}
