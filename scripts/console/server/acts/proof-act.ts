import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { environmentWith } from '../../../../infra/config.ts'
import { TallyError } from '../../../../infra/errors.ts'
import type { Proof, ProofPage } from '../../contract/proof.ts'
import type { Feed } from '../live/feeds.ts'
import { act } from './act.ts'
import type { Act } from './act.ts'
import type { JobControl, Jobs } from './jobs.ts'
import { npmRun } from './shell-words.ts'

/** `npm run verify`, and what it said last. */
export function proof(jobs: Jobs): { feed: Feed; act: Act; stop(): void } {
  const page: { -readonly [Name in keyof ProofPage]: ProofPage[Name] } = { running: null, last: null }
  const ending = new AbortController()
  return {
    feed: { everyMs: 1_000, read: () => Promise.resolve({ ...page }) },
    act: act(z.object({ settle: z.number().min(0).max(3_600).default(30) }), ({ settle }) => {
      if (page.running !== null) throw new TallyError('BUSY', 'It is being checked already')
      const command = npmRun('verify', ...(settle === 30 ? [] : ['--settle', String(settle)]))
      const job = jobs.start({
        title: 'Reading all topics and tables',
        async work({ signal, say }) {
          try {
            say(['Waiting until no work is in flight, then reading all topics and tables'])
            const at = new Date().toISOString()
            const found = await runVerify(settle, { signal: AbortSignal.any([signal, ending.signal]), say })
            page.last = { at, ...found }
            const verdict = found.ok ? 'Proved: every event took effect exactly once.' : 'NOT proved.'
            return { lines: [verdict], failed: !found.ok, result: page.last }
          } finally {
            page.running = null
          }
        },
      })
      page.running = job
      return Promise.resolve({ said: ['Checking'], command, job })
    }),
    stop: () => ending.abort(),
  }
}

/** In a process of its own: it reads everything into memory, and would hold up all pages. */
async function runVerify(settle: number, { signal }: JobControl): Promise<Omit<Proof, 'at'>> {
  const script = join(import.meta.dirname, '../../../verify.ts')
  const child = spawn(process.execPath, [script, '--json', '--settle', String(settle)], {
    env: environmentWith({}),
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  })
  const ended = once(child, 'exit')
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  signal.throwIfAborted()
  if (child.exitCode !== 0 && child.exitCode !== 1)
    throw new TallyError('UNREACHABLE', stderr.trim().split('\n').at(-1) ?? 'It could not be checked')
  return JSON.parse(stdout) as Omit<Proof, 'at'>
}
