import { hash } from 'node:crypto'

/** Random draws that depend only on their arguments, so that runs with the same seed and keys are identical. */
export interface Chance {
  /** Uniform in [0, 1). */
  uniform(key: string, purpose: string): number
  /** Log-normal around `medianMs`: mostly near it, occasionally several times as long. */
  latencyMs(key: string, medianMs: number): number
  /** An id for a new object; a repeated key gives the same id. */
  id(prefix: string, key: string): string
}

/** Spread of the latency's logarithm: the 99th percentile is about 3.2 times the median. */
const sigma = 0.5

export function createChance(seed: number): Chance {
  const digest = (key: string, purpose: string) => hash('sha256', `${seed} ${purpose} ${key}`)
  const uniform = (key: string, purpose: string) => Number.parseInt(digest(key, purpose).slice(0, 12), 16) / 2 ** 48
  return {
    uniform,
    latencyMs(key, medianMs) {
      // Box-Muller transform: two uniform draws make a normal one
      const radius = Math.sqrt(-2 * Math.log(1 - uniform(key, 'radius')))
      return medianMs * Math.exp(sigma * radius * Math.cos(2 * Math.PI * uniform(key, 'angle')))
    },
    id: (prefix, key) => `${prefix}_${digest(key, prefix).slice(0, 20)}`,
  }
}
