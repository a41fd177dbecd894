import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Registry } from 'prom-client'
import { describeError, TallyError } from '../errors.ts'
import { settlesWithin } from '../promises.ts'
import { exportMetrics } from './metrics-export.ts'
import { openMeter } from './meters.ts'
import type { Meter } from './meters.ts'
import { openTracer } from './tracer.ts'
import type { Tracer } from './tracer.ts'
import { meterProcess } from './process-meters.ts'

/** Why the process cannot do something; undefined if it can. */
export type Check = () => string | undefined | Promise<string | undefined>

export interface Monitor {
  /** Records metrics; undefined if this process is not monitored. */
  readonly meter?: Meter
  /** Exports spans; undefined unless a collector is configured. */
  readonly tracer?: Tracer
  /** Where it listens, `http://127.0.0.1:41234`; undefined if it does not. */
  readonly url?: string
  /** From now on the process is ready as long as no check has a reason against it. */
  ready(checks: Readonly<Record<string, Check>>): void
  /** From now on it is not ready, because it ends. */
  ending(): void
  /** Exports what is left. */
  stop(): Promise<void>
}

export interface MonitorOptions {
  /** Such as `payment`. */
  readonly service: string
  /** Such as `payment@host:1234`. */
  readonly replica: string
  /** 0 picks a free one; undefined: listens on none. */
  readonly port?: number
  readonly host: string
  /** Whether to export spans by OTLP. @default false */
  readonly otlp?: boolean
  /** Whether to export metrics by OTLP. @default false */
  readonly otlpMetrics?: boolean
}

/** A check that takes longer counts as failed, ms: probes usually wait a second. */
const checkWithinMs = 800

/**
 * Answers `GET /live`, `/ready` and `/metrics` on a port of its own, so that a busy API cannot refuse them.
 * @throws TallyError PORT_TAKEN
 */
export async function openMonitor(options: MonitorOptions): Promise<Monitor> {
  const { port, host, service, replica, otlp = false, otlpMetrics = false } = options
  if (port === undefined && !otlp && !otlpMetrics) return { ready: () => {}, ending: () => {}, stop: async () => {} }
  const [{ meter, registry }, tracing] = await Promise.all([
    openMeter(),
    otlp ? openTracer(service, replica) : undefined,
  ])
  meterProcess(meter, service, replica)
  const stopExport = otlpMetrics ? await exportMetrics(registry, service, replica) : undefined
  let state: 'starting' | 'ending' | Readonly<Record<string, Check>> = 'starting'
  const routes = new Map<string, RequestListener>([
    ['/live', (_, response) => reply(response, 200, { live: true })],
    ['/ready', (_, response) => void readiness(state).then(({ status, body }) => reply(response, status, body))],
    ['/metrics', (_, response) => void answerMetrics(registry, response)],
  ])
  const server = port === undefined ? undefined : await listen(router(routes), port, host)
  const bound = server?.address() as AddressInfo | undefined
  return {
    meter,
    tracer: tracing?.tracer,
    url: bound && `http://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`,
    ready: (checks) => void (state = checks),
    ending: () => void (state = 'ending'),
    async stop() {
      server?.close()
      server?.closeAllConnections()
      await Promise.all([tracing?.stop(), stopExport?.()])
    },
  }
}

/** Status and body of `GET /ready`. */
export async function readiness(
  state: 'starting' | 'ending' | Readonly<Record<string, Check>>,
): Promise<{ status: 200 | 503; body: object }> {
  if (typeof state === 'string') return { status: 503, body: { ready: false, reason: state } }
  const answers = await Promise.all(
    Object.entries(state).map(async ([name, check]) => [name, await inTime(check)] as const),
  )
  const ready = answers.every(([, reason]) => reason === undefined)
  const checks = Object.fromEntries(answers.map(([name, reason]) => [name, reason ?? 'ok']))
  return { status: ready ? 200 : 503, body: { ready, checks } }
}

async function inTime(check: Check): Promise<string | undefined> {
  let reason: string | undefined
  const work = async () => void (reason = await check())
  try {
    return (await settlesWithin(work(), checkWithinMs)) ? reason : `no answer within ${checkWithinMs} ms`
  } catch (error) {
    return describeError(error)
  }
}

async function answerMetrics(registry: Registry, response: ServerResponse): Promise<void> {
  const text = await registry.metrics()
  response.writeHead(200, { 'content-type': registry.contentType, 'cache-control': 'no-store' }).end(text)
}

const router =
  (routes: ReadonlyMap<string, RequestListener>): RequestListener =>
  (request, response) => {
    const answer = routes.get(pathOf(request))
    if (!answer) reply(response, 404, { error: `There are ${[...routes.keys()].join(', ')}.` })
    else if (request.method !== 'GET' && request.method !== 'HEAD') reply(response, 405, { error: 'Only GET.' })
    else answer(request, response)
  }

const pathOf = ({ url = '' }: IncomingMessage): string => url.split('?')[0] ?? ''

const reply = (response: ServerResponse, status: number, body: object): void =>
  void response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(`${JSON.stringify(body)}\n`)

async function listen(answer: RequestListener, port: number, host: string): Promise<Server> {
  const server = createServer({ headersTimeout: 2_000, requestTimeout: 5_000 }, answer)
  await new Promise<void>((listening, failed) => {
    server.once('error', (error) =>
      failed(
        new TallyError('PORT_TAKEN', `TALLY_MONITOR_PORT ${port} cannot be used: ${describeError(error)}`, {
          cause: error,
        }),
      ),
    )
    server.listen(port, host, listening)
  })
  server.unref() // It must not keep a process alive whose work has ended
  return server
}
