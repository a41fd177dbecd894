import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serveControl } from '../../../../infra/stack/supervisor/control.ts'
import type { ReplicaCounts } from '../../../../infra/stack/supervisor/scaling.ts'

/** Answers as the supervisor of a stack that has these replicas, without any processes. */
export interface ServedStack extends AsyncDisposable {
  readonly dataDir: string
  /** Every number asked for, in this order. */
  readonly asked: ReplicaCounts[]
}

/** @param onScale called with every number asked for, before the answer */
export async function serveStack(
  first: ReplicaCounts,
  onScale: (replicas: ReplicaCounts) => unknown = () => {},
): Promise<ServedStack> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tally-scale-'))
  mkdirSync(join(dataDir, 'run'))
  const asked: ReplicaCounts[] = []
  let counts = first
  const processes = () =>
    Object.entries(counts).flatMap(([consumer, count]) =>
      Array.from({ length: count }, (_, index) => ({ name: `${consumer}-${index + 1}`, consumer, state: 'ready' })),
    )
  const control = await serveControl(dataDir, {
    status: () => ({ version: 1, state: 'running', processes: processes() }),
    async scale(argument) {
      const { replicas } = argument as { replicas: ReplicaCounts }
      asked.push(replicas)
      await onScale(replicas)
      return (counts = { ...counts, ...replicas })
    },
  })
  return {
    dataDir,
    asked,
    async [Symbol.asyncDispose]() {
      control.close()
      rmSync(dataDir, { recursive: true })
    },
  }
}
