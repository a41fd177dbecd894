import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Bytes allocated on the heap per event, by step of pure code. */
export type Allocations = Readonly<Record<string, number>>

/**
 * Enough memory to avoid garbage collection; the interpreter only, so that no allocation is optimized away; one thread, so
 * that the load of the machine has no influence.
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

/** Measures in a separate process. */
export async function measureAllocations(): Promise<Allocations> {
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, join(import.meta.dirname, 'allocating.ts')])
  return JSON.parse(stdout) as Allocations
}
