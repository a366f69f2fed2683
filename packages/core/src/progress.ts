/** How far long work has come: `done` of `total` in `unit`. */
export interface Progress {
  readonly stage: string
  readonly done: number
  readonly total: number
  readonly unit?: string
}

/** Called as long work goes on. */
export type OnProgress = (progress: Progress) => void
