import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../../config.ts'
import type { Config } from '../../../config.ts'
import { nodeProcess } from '../node-process.ts'
import type { ProcessSpec } from '../process-spec.ts'

/** A configuration with a data folder of its own. */
export const temporaryConfig = (): Config =>
  loadConfig({ ...process.env, TALLY_DATA_DIR: mkdtempSync(join(tmpdir(), 'tally-stack-')) })

/**
 * A small real process in place of a server or service: ready at once; it outlives its supervisor unless it is a service.
 * When told to stop it writes so to its log, `journal`.
 */
export const standIn = (name: string, changes: Partial<ProcessSpec> = {}, journal = '/dev/null'): ProcessSpec => ({
  ...nodeProcess(name, ['-e', body, name, journal, changes.kind ?? 'service']),
  ...changes,
})

const body = `
  const [name, journal, kind] = process.argv.slice(1)
  process.on('SIGTERM', () => {
    require('node:fs').appendFileSync(journal, name + ' ')
    process.exit()
  })
  if (kind === 'service') process.on('disconnect', () => process.exit())
  setInterval(() => {}, 1000)
  process.send({ type: 'ready' })
`

/** A process that runs this code. */
export const script = (name: string, code: string, changes: Partial<ProcessSpec> = {}): ProcessSpec => ({
  ...nodeProcess(name, ['-e', code]),
  ...changes,
})
