import { TEXT_BEGIN, type Vocabulary } from './vocabulary.js'

const SPACE = '\u2581'

/**
 * The `tokenizer.json` of a SentencePiece BPE vocabulary with byte fallback, as Hugging Face writes Llama 2's.
 * SentencePiece joins the pair whose piece has the best score, so every way to split a piece in two becomes a merge, in
 * order of the piece's score; equal scores by id, then by the ids of the halves.
 */
export function tokenizerJson({ pieces, scores }: Vocabulary) {
  const ids = new Map(pieces.map((piece, id) => [piece, id]))
  const begin = { SpecialToken: { id: '<s>', type_id: 0 } }
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: pieces.slice(0, 3).map((content, id) => addedToken(id, content)),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: SPACE },
        { type: 'Replace', pattern: { String: ' ' }, content: SPACE },
      ],
    },
    pre_tokenizer: null,
    post_processor: {
      type: 'TemplateProcessing',
      single: [begin, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [
        begin,
        { Sequence: { id: 'A', type_id: 0 } },
        { SpecialToken: { id: '<s>', type_id: 1 } },
        { Sequence: { id: 'B', type_id: 1 } },
      ],
      special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
    },
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: SPACE }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: '<unk>',
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      vocab: Object.fromEntries(ids),
      merges: mergesOf(pieces, scores, ids),
    },
  }
}

/** What `tokenizer_config.json` says of it. */
export const tokenizerConfig = {
  tokenizer_class: 'LlamaTokenizer',
  add_bos_token: true,
  add_eos_token: false,
  bos_token: '<s>',
  eos_token: '</s>',
  unk_token: '<unk>',
  model_max_length: 1_000_000,
  legacy: false,
}

function addedToken(id: number, content: string) {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }
}

function mergesOf(pieces: readonly string[], scores: readonly number[], ids: ReadonlyMap<string, number>): [string, string][] {
  const byScore = Array.from({ length: pieces.length - TEXT_BEGIN }, (_, i) => TEXT_BEGIN + i)
  byScore.sort((a, b) => scores[b] - scores[a] || a - b)
  const merges: [string, string][] = []
  for (const id of byScore) {
    const piece = pieces[id]
    const splits: [left: number, right: number][] = []
    for (let at = 1; at < piece.length; at++) {
      const left = ids.get(piece.slice(0, at))
      const right = ids.get(piece.slice(at))
      if (left !== undefined && right !== undefined) splits.push([left, right])
    }
    splits.sort(([a, b], [c, d]) => a - c || b - d)
    for (const [left, right] of splits) merges.push([pieces[left], pieces[right]])
  }
  return merges
}
