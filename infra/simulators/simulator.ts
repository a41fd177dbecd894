import { createServer, STATUS_CODES } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import express from 'express'
import type { ErrorRequestHandler, Express, Response } from 'express'
import { z } from 'zod'
import { describeError, TallyError } from '../errors.ts'
import type { Running } from '../service.ts'
import type { Logger } from '../logger.ts'
import { openAnswerBook } from './answer-book.ts'
import type { AnswerBook, Entry, Outcome } from './answer-book.ts'
import { createChance } from './chance.ts'

export interface SimulatorOptions {
  /** @default 127.0.0.1 */
  host?: string
  /** 0 picks a free one. */
  port: number
  /** The journal is `<dataDir>/simulators/<name>.ndjson`. */
  dataDir: string
  seed: number
  /** Median latency of the answers; 0 answers at once. */
  latencyMs: number
  log: Logger
}

export interface RunningSimulator extends Running {
  readonly url: string
}

/** One `POST` route. */
export interface Operation {
  /** Express route; `:id` is passed to `answer`. */
  readonly path: string
  /** @throws ZodError if the body does not fit */
  readonly parse: (body: unknown) => object
  /** Decides the answer to a new idempotency key. A definite refusal is an answer, too. */
  readonly answer: (request: object, context: { key: string; id: string; time: number; url: string }) => Outcome
}

/** Gives `answer` the type that `body` parses. */
export const operation = <Request extends object>(
  path: string,
  body: z.ZodType<Request>,
  answer: (request: Request, context: Parameters<Operation['answer']>[1]) => Outcome,
): Operation => ({
  path,
  parse: (value) => body.parse(value),
  answer: (request, context) => answer(request as Request, context),
})

export interface Simulation {
  readonly name: string
  readonly operations: readonly Operation[]
  /** Applies an entry to the state of the simulation; called once for each, at startup for those of the journal. */
  readonly apply: (entry: Entry) => void
  /** Additional routes. */
  readonly pages?: (app: Express) => void
}

/**
 * Serves a simulation: an independent party with a journal that only it writes.
 * @throws TallyError PORT_TAKEN, INVARIANT if the journal is damaged
 */
export async function startSimulator(simulation: Simulation, options: SimulatorOptions): Promise<RunningSimulator> {
  const opened = Promise.withResolvers<Express>()
  // Listen before the journal is opened: the port keeps a second process off the file
  const server = createServer((request, response) => void opened.promise.then((app) => app(request, response)))
  const url = await listen(server, simulation.name, options)
  try {
    const file = join(options.dataDir, 'simulators', `${simulation.name}.ndjson`)
    const book = await openAnswerBook(file, simulation.apply)
    opened.resolve(createApp(simulation, book, url, options))
    return {
      url,
      async stop() {
        server.keepAliveTimeout = server.keepAliveTimeoutBuffer = 1 // Close connections after the current answer
        await new Promise((resolve) => server.close(resolve))
        await book.close()
      },
    }
  } catch (error) {
    server.close()
    server.closeAllConnections()
    throw error
  }
}

function listen(
  server: ReturnType<typeof createServer>,
  name: string,
  { host = '127.0.0.1', port }: Pick<SimulatorOptions, 'host' | 'port'>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new TallyError('PORT_TAKEN', `The ${name} simulator cannot listen on port ${port}`, { cause })),
    )
    server.listen(port, host, () => resolve(`http://${host}:${(server.address() as AddressInfo).port}`))
  })
}

function createApp(simulation: Simulation, book: AnswerBook, url: string, options: SimulatorOptions): Express {
  const chance = createChance(options.seed)
  const app = express().disable('x-powered-by').disable('etag')
  app.use(express.json({ limit: '64kb' }))

  for (const { path, parse, answer } of simulation.operations) {
    app.post(path, async (request, response) => {
      const key = request.get('idempotency-key')
      if (!key) return problem(response, 400, { code: 'idempotency_key_missing' })
      const parsed = parse(request.body ?? {})
      const context = { key, id: String(request.params.id), url }
      const [entry] = await Promise.all([
        book.answer(key, request.path, parsed, (time) => answer(parsed, { ...context, time })),
        options.latencyMs > 0 && delay(chance.latencyMs(key, options.latencyMs)),
      ])
      if (!entry) problem(response, 409, { code: 'idempotency_key_reused' })
      else if (entry.status >= 400) problem(response, entry.status, entry.answer)
      else response.status(entry.status).json(entry.answer)
    })
  }
  app.get('/journal', (_request, response) => {
    Readable.from(journalLines(book)).pipe(response.type('application/x-ndjson'))
  })
  app.get('/health', (_request, response) => void response.json({ status: 'ok' }))
  simulation.pages?.(app)
  app.use((_request, response) => problem(response, 404, { code: 'not_found' }))
  app.use(failure(options.log))
  return app
}

function* journalLines(book: AnswerBook): Iterable<string> {
  for (const { request: _, ...entry } of book.entries()) yield `${JSON.stringify(entry)}\n`
}

/** RFC 9457. Clients branch on `code`. */
const problem = (response: Response, status: number, members: object): void =>
  void response
    .status(status)
    .type('application/problem+json')
    .json({ type: 'about:blank', title: STATUS_CODES[status], status, ...members })

const failure =
  (log: Logger): ErrorRequestHandler =>
  (error, _request, response, _next) => {
    if (error instanceof z.ZodError) return problem(response, 400, { code: 'invalid_request', errors: error.issues })
    if (error.status >= 400 && error.status < 500) return problem(response, error.status, { code: 'unreadable_body' })
    log.error({ error: describeError(error) }, 'request failed')
    problem(response, 500, { code: 'internal' })
  }
