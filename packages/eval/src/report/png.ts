import { UnsupportedError } from '@dpllm/core'

/** Pixels of the picture for one of the drawing: sharp on screens and on paper. */
const SCALE = 2

/**
 * Paints a figure's SVG.
 * @param svg as `figureSvg` makes it: with colours of its own
 * @returns PNG, twice as wide as the drawing
 * @throws UnsupportedError where the system has no fonts: all text would be missing
 */
export async function figurePng(svg: string): Promise<Uint8Array> {
  // Loaded here, since nothing else paints.
  const { Resvg } = await import('@resvg/resvg-js')
  const probe = new Resvg(
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><text y="18" font-size="18">M</text></svg>',
  )
  if (probe.render().pixels.every((value) => value === 0))
    throw new UnsupportedError(
      'pictures of figures need a font, and this system has none: install one (fonts-dejavu), or take SVG',
    )
  return new Resvg(svg, { fitTo: { mode: 'zoom', value: SCALE } }).render().asPng()
}
