import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** Starts an OpenTelemetry collector in a process of its own, which reads what it is sent and keeps nothing. */
export async function startCollector(): Promise<AsyncDisposable & { readonly url: string }> {
  const child = fork(join(import.meta.dirname, 'collector.ts'))
  const [port] = (await once(child, 'message')) as [number]
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      child.kill()
      await once(child, 'exit')
    },
  }
}
