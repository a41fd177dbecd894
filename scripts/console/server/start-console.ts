import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import express from 'express'
import type { Config } from '../../../infra/config.ts'
import type { Logger } from '../../../infra/logger.ts'
import type { Running } from '../../../infra/service.ts'
import { serveBundle } from '../../../infra/web/serve-bundle.ts'
import { listen } from '../../../producers/orders-api/http/http-server.ts'
import { problem } from '../../../producers/orders-api/http/reply.ts'
import { send } from '../../../producers/orders-api/http/operation.ts'
import { actorOf } from '../../cli/consent.ts'
import { serveActs } from './acts/act.ts'
import { Jobs } from './acts/jobs.ts'
import { laneActs } from './acts/lane-acts.ts'
import { parkedActs } from './acts/parked-acts.ts'
import { proof } from './acts/proof-act.ts'
import { replayActs } from './acts/replay-acts.ts'
import { scaleActs } from './acts/scale-acts.ts'
import { topicActs } from './acts/topic-acts.ts'
import { openContext } from './context.ts'
import { answerFailures } from './http/failures.ts'
import { guard, loopbackHosts } from './http/guard.ts'
import { cookieName } from './http/session-cookie.ts'
import { signIn } from './http/sign-in.ts'
import { Feeds } from './live/feeds.ts'
import { HealthSamples } from './live/health-samples.ts'
import { streamOf } from './live/stream.ts'
import { flowFeed } from './pages/flow.ts'
import { laneFeeds } from './pages/lanes.ts'
import { orderFeeds } from './pages/orders.ts'
import { parkedFeeds } from './pages/parked.ts'
import { replayFeeds } from './pages/replays.ts'
import { topicFeeds } from './pages/topics.ts'

export interface ConsoleOptions {
  readonly config: Config
  readonly log: Logger
  /** 0 picks a free one. @default the configured one */
  readonly port?: number
}

const home = join(import.meta.dirname, '..')
const site = { name: 'console', root: join(home, 'web'), imports: [join(home, 'contract')] }

/** Serves the console on the loopback interface. Needs no other server: what is away is said on the pages. */
export async function startConsole({ config, log, port }: ConsoleOptions): Promise<Running & { url: string }> {
  const context = openContext(config, log)
  const jobs = new Jobs(config)
  const samples = new HealthSamples(context)
  const proving = proof(jobs)
  const acts = {
    ...parkedActs(context, jobs),
    ...laneActs(context),
    ...scaleActs(context, jobs),
    ...replayActs(context, jobs),
    ...topicActs(context, jobs),
    verify: proving.act,
  }
  const replays = replayFeeds(context, log)
  const feeds = new Feeds(
    {
      ...orderFeeds(context),
      ...parkedFeeds(context),
      ...laneFeeds(context, samples),
      ...replays.feeds,
      ...topicFeeds(context, samples),
      flow: flowFeed(context, samples),
      proof: proving.feed,
      job: jobs.feed,
    },
    config,
  )
  const stream = streamOf(feeds, { boot: randomUUID(), actor: actorOf({}) })
  let hosts: ReadonlySet<string> = new Set()
  let cookie = ''

  const app = express().disable('x-powered-by').disable('etag')
  app.use(guard(() => hosts))
  app.use('/api', (_request, response, next) => {
    response.set('cache-control', 'no-store') // It depends on who asks
    next()
  })
  app.use('/api', signIn({ authentication: config.api.authentication, cookie: () => cookie, log }))
  app.get('/api/stream', stream.handle)
  app.get('/api/feeds/:name', async (request, response) => {
    const query = request.url.split(/\?(.*)/s)[1] ?? ''
    const signal = AbortSignal.timeout(30_000)
    response.json(await feeds.once(`${request.params.name}?${query}`, signal))
  })
  app.post('/api/acts/:name', express.json({ limit: '2mb' }), serveActs(acts))
  app.post('/api/jobs/:id/interruption', (request, response) => {
    jobs.interrupt(request.params.id)
    response.json({ said: ['Asked it to stop.'] })
  })
  app.use('/api', (request, response) => send(response, problem(404, `There is nothing at ${request.originalUrl}.`)))
  app.use(serveBundle(site))
  app.use(answerFailures(config))

  const server = await listen(app, { port: port ?? config.ports.console })
  const at = Number(new URL(server.url).port)
  hosts = loopbackHosts(at)
  cookie = cookieName(at)
  log.info({ url: server.url }, 'started')
  return {
    url: server.url,
    async stop() {
      jobs.stop()
      proving.stop()
      samples.stop()
      feeds.stop()
      stream.stop()
      await server.stop(1_000)
      await Promise.all([context[Symbol.asyncDispose](), replays.stop()])
    },
  }
}
