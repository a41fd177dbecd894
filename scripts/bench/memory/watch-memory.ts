import { usageOf } from './processes.ts'
import type { Usage } from './processes.ts'

export const everySeconds = 2

/** Looks at the memory of processes from time to time. @returns ends it; what was seen of each, oldest first */
export function watchMemory(roots: ReadonlyMap<string, number>): () => Map<string, Usage[]> {
  const seen = new Map<string, Usage[]>([...roots.keys()].map((name) => [name, []]))
  const look = () => {
    for (const [name, usage] of usageOf(roots)) seen.get(name)?.push(usage)
  }
  look()
  const timer = setInterval(look, everySeconds * 1_000)
  return () => {
    clearInterval(timer)
    look()
    return seen
  }
}
