import { z } from 'zod'

/** A bit count of a weight. */
export const bits = z.number().int().min(1).max(8)

/** A mean of bit counts. */
export const averageBits = z.number().min(1).max(8)
