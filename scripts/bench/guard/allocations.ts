import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Bytes allocated on the heap an event, by step of pure code. */
export type Allocations = Readonly<Record<string, number>>

/**
 * Memory for everything that is allocated, so that nothing is collected; the interpreter alone, so that nothing is left
 * out; one thread, so that the load of the machine changes nothing.
 */
const flags = [
  '--expose-gc',
  '--single-threaded',
  '--no-opt',
  '--no-maglev',
  '--no-sparkplug',
  '--max-semi-space-size=256',
  '--min-semi-space-size=256',
]

/** Measures in a process of its own. */
export async function measureAllocations(): Promise<Allocations> {
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, join(import.meta.dirname, 'allocating.ts')])
  return JSON.parse(stdout) as Allocations
}
