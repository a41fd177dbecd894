import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { prepareDataDir } from '../../../infra/stack/supervisor/data-dir.ts'

/** The ids of the messages that were ever taken out of a queue, in a file: a later comparison needs those of the earlier ones. */
export interface DrainedIds extends Disposable {
  /** On disk when it returns. */
  append(ids: readonly string[]): void
  /** How often each id came out. */
  counts(): Map<string, number>
}

/** @param name of the queue, with its server and the namespace of the pipeline */
export function openDrainedIds(dataDir: string, name: string): DrainedIds {
  prepareDataDir(dataDir)
  const folder = join(dataDir, 'drained')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, `${encodeURIComponent(name)}.ids`)
  const read = () => (existsSync(path) ? readFileSync(path) : Buffer.alloc(0))
  const whole = read()
  // A line that was cut off was not acknowledged: its message comes again
  if (whole.length > 0) truncateSync(path, whole.lastIndexOf('\n') + 1)
  const file = openSync(path, 'a', 0o600)
  return {
    append(ids) {
      writeSync(file, ids.map((id) => `${JSON.stringify(id)}\n`).join(''))
      fsyncSync(file)
    },
    counts() {
      const counts = new Map<string, number>()
      for (const line of read().toString().split('\n')) {
        if (line === '') continue
        const id = JSON.parse(line) as string
        counts.set(id, (counts.get(id) ?? 0) + 1)
      }
      return counts
    },
    [Symbol.dispose]: () => closeSync(file),
  }
}
