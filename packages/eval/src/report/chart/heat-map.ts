/** A linear of a model and what it reads. */
export interface HeatCell {
  readonly layer: number
  /** q, k, v, o, gate, up, down … */
  readonly module: string
  /** Mean bits. */
  readonly bits: number
}

/** One heat map of layers and modules. */
export interface HeatPanel {
  readonly title: string
  readonly cells: readonly HeatCell[]
}

/** Heat maps of one model, with one scale of colours. */
export interface HeatMaps {
  readonly kind: 'heat-maps'
  readonly panels: readonly HeatPanel[]
}

/** A linear's layer and short name: model.layers.3.self_attn.q_proj is q of layer 3. Undefined outside of the layers. */
export function placeOfLinear(module: string): { readonly layer: number; readonly module: string } | undefined {
  const match = /^model\.layers\.(\d{1,6})\..*?([^.]+)$/.exec(module)
  return match === null ? undefined : { layer: Number(match[1]), module: match[2].replace(/_proj$/, '') }
}
