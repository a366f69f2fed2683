/** Called as long work goes on; `done` of `total` in `unit`. */
export type LoadProgress = (progress: { stage: string; done: number; total: number; unit?: string }) => void
