import { join, resolve } from 'node:path'
import type { ProcessSpec } from './process-spec.ts'

const project = resolve(import.meta.dirname, '../../..')

/**
 * A process of this project: an entry that calls `runService` and reports ready over IPC.
 * @param command path of the entry, relative to the project, and its arguments
 */
export function nodeProcess(name: string, command: readonly string[], env: Record<string, string> = {}): ProcessSpec {
  return {
    name,
    title: name,
    kind: 'service',
    after: [],
    ipc: true,
    readyWithinMs: 60_000,
    stopSignal: 'SIGTERM',
    stopWithinMs: 12_000, // A service drains for at most 10 s
    prepare: async () => ({
      command: process.execPath,
      args: ['--disable-warning=TimeoutNegativeWarning', ...command], // A harmless warning caused by kafkajs
      env: { NODE_COMPILE_CACHE: join(project, '.tally', 'compile-cache'), ...env },
      cwd: project,
    }),
    ready: ({ child }) =>
      new Promise<string | void>((resolve) =>
        child.on('message', (message) => {
          const { type, monitor } = message as { type?: unknown; monitor?: string }
          if (type === 'ready') resolve(monitor)
        }),
      ),
  }
}
