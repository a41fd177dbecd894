import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { isTallyError, TallyError } from '../../infra/errors.ts'
import { explainFailure } from '../../infra/explain-failure.ts'
import type { Advice } from '../../consumers/operations/replicas/advice/advise.ts'
import { metricsText } from './advice-metrics.ts'
import { capacitiesOf, observe } from '../../consumers/operations/replicas/advice/observe.ts'
import type { ObserveOptions } from '../../consumers/operations/replicas/advice/observe.ts'
import { adviceJson } from './print-advice.ts'
import { requireStack } from '../../consumers/operations/replicas/running-stack.ts'

export interface ServeOptions extends Omit<ObserveOptions, 'stack'> {
  /** On 127.0.0.1; 0: any that is free. */
  port: number
  everyMs: number
  /** Told the address once it listens. */
  onListening(url: string): void
  /** Told why there is no figure, each time the reason changes. */
  onTrouble(sentence: string): void
}

/** An older figure is none: whoever scales by it must not take it for the present. */
const lastsForLooks = 3

/**
 * Serves the advice to an external autoscaler until the signal comes: `/metrics` for Prometheus, `/` as JSON by consumer.
 * Both answer 503 while there is no fresh figure.
 * @throws TallyError USAGE when the port is taken
 */
export async function serveAdvice(options: ServeOptions): Promise<void> {
  const { config, port, everyMs, overMs, signal, onListening, onTrouble } = options
  let latest: { at: number; advices: readonly Advice[] } | undefined
  let capacities: ReadonlyMap<string, number> = new Map()
  let trouble = 'The first look is being taken'
  const lastsMs = lastsForLooks * (everyMs + overMs)
  const server = createServer((request, response) => {
    const fresh = latest && performance.now() - latest.at < lastsMs ? latest.advices : undefined
    const answer = answerTo(request.url ?? '/', fresh, trouble)
    response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body)
  })
  await new Promise<void>((listening, failed) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'it is taken' : cause.message
      failed(new TallyError('USAGE', `Port ${port} cannot be listened on: ${why}`, { cause }))
    })
    server.listen(port, '127.0.0.1', listening)
  })
  onListening(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  try {
    while (!signal.aborted) {
      try {
        const stack = await requireStack(config.dataDir)
        const observed = await observe({ ...options, stack, capacities })
        capacities = capacitiesOf(observed)
        latest = { at: performance.now(), advices: observed.map(({ advice }) => advice) }
        trouble = 'The last look is too long ago'
      } catch (error) {
        if (signal.aborted) return
        latest = undefined // The stack may have been stopped: its last figure would bring it back to life
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
