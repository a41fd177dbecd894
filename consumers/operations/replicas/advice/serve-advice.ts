import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { isTallyError, TallyError } from '../../../../infra/errors.ts'
import { explainFailure } from '../../../../infra/explain-failure.ts'
import type { Advice } from './advise.ts'
import { adviceJson, metricsText } from './advice-formats.ts'
import { capacitiesOf, observe } from './observe.ts'
import type { ObserveOptions } from './observe.ts'
import { requireStack } from '../running-stack.ts'

export interface ServeOptions extends Omit<ObserveOptions, 'stack'> {
  /** On 127.0.0.1; 0: any free one. */
  port: number
  everyMs: number
  /** Gets the address once the server listens. */
  onListening(url: string): void
  /** Gets the reason why there is no figure, each time it changes. */
  onTrouble(sentence: string): void
}

/** An autoscaler must not act on a figure older than this many measurements. */
const freshFor = 3

/**
 * Serves the advice to an external autoscaler until the signal aborts: `/metrics` for Prometheus, `/` as JSON by consumer.
 * Both answer 503 while there is no fresh figure.
 * @throws TallyError PORT_TAKEN
 */
export async function serveAdvice(options: ServeOptions): Promise<void> {
  const { config, port, everyMs, overMs, signal, onListening, onTrouble } = options
  let latest: { at: number; advices: readonly Advice[] } | undefined
  let capacities: ReadonlyMap<string, number> = new Map()
  let trouble = 'The first measurement is under way'
  const lastsMs = freshFor * (everyMs + overMs)
  const server = createServer((request, response) => {
    const fresh = latest && performance.now() - latest.at < lastsMs ? latest.advices : undefined
    const answer = answerTo(request.url ?? '/', fresh, trouble)
    response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body)
  })
  await new Promise<void>((listening, failed) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'it is in use' : cause.message
      failed(new TallyError('PORT_TAKEN', `Cannot listen on port ${port}: ${why}`, { cause }))
    })
    server.listen(port, '127.0.0.1', listening)
  })
  onListening(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  try {
    while (!signal.aborted) {
      try {
        const stack = await requireStack(config.dataDir)
        const advices = await observe({ ...options, stack, capacities })
        capacities = capacitiesOf(advices)
        latest = { at: performance.now(), advices }
        trouble = 'The last measurement is too old'
      } catch (error) {
        if (signal.aborted) return
        latest = undefined // The stack may have been stopped: its last figure would start it again
        const sentence = isTallyError(error) ? error.message : explainFailure(error, () => config).sentence
        if (sentence !== trouble) onTrouble(sentence)
        trouble = sentence
      }
      await delay(everyMs, undefined, { signal }).catch(() => {}) // The loop looks at the signal
    }
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

function answerTo(url: string, advices: readonly Advice[] | undefined, trouble: string) {
  const [pathname] = url.split('?')
  const plain = 'text/plain; charset=utf-8'
  if (pathname !== '/' && pathname !== '/metrics')
    return { status: 404, type: plain, body: 'There are /metrics (Prometheus) and / (JSON)\n' }
  if (!advices) return { status: 503, type: plain, body: `${trouble}\n` }
  if (pathname === '/metrics')
    return { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body: metricsText(advices) }
  const byConsumer = Object.fromEntries(advices.map((advice) => [advice.consumer, adviceJson(advice)]))
  return { status: 200, type: 'application/json', body: JSON.stringify(byConsumer) }
}
