import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { queueServers } from '../../../infra/queue-settings.ts'
import { createSqs } from '../../../infra/sqs/client.ts'
import { queueUrl } from '../../../infra/sqs/queue-url.ts'
import { drainRabbitmq, drainSqs } from '../../../infra/testing/queues/drain.ts'
import { canTest, startQueue } from '../../../infra/testing/queues/start-queues.ts'
import type { TestQueue } from '../../../infra/testing/queues/start-queues.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { ensureQueues } from '../../../producers/bridge/start-bridge.ts'
import type { Sender } from '../../../producers/bridge/testing/bridge-bench.ts'
import { rabbitmqSender } from '../../../producers/bridge/testing/rabbitmq-sender.ts'
import { sqsSender } from '../../../producers/bridge/testing/sqs-sender.ts'
import { succeeded } from '../test-stack.ts'
import { startImpostor, tactlessServer } from './outside-world.ts'
import { openPlantedPipeline, order } from './planted-pipeline.ts'
import type { PlantedPipeline } from './planted-pipeline.ts'
import { address, leaksIn, personal, secrets } from './planted.ts'
import { watchProcess } from './watched-process.ts'
import type { WatchedProcess } from './watched-process.ts'

const onPort = (port: number | string, protocol = 'http') => `${protocol}://127.0.0.1:${port}`
/** The settings of a client of each server, with secrets of the test, wherever it is. */
const planted = {
  rabbitmq: (port: number, protocol = 'amqp') => ({
    TALLY_RABBITMQ_URL: Object.assign(new URL(onPort(port, protocol)), {
      username: 'tally',
      password: secrets.rabbitmqPassword,
    }).href,
  }),
  sqs: (port: number, protocol = 'http') => ({
    TALLY_SQS_ENDPOINT: onPort(port, protocol),
    TALLY_SQS_REGION: 'eu-west-1',
    TALLY_SQS_ACCESS_KEY_ID: 'AKIAPLANT',
    TALLY_SQS_SECRET_ACCESS_KEY: secrets.sqsSecret,
  }),
}
const forwarding = {
  rabbitmq: { TALLY_FORWARD_RABBITMQ: 'queue:events' },
  sqs: { TALLY_FORWARD_SQS: 'events' },
}
const forwarder = (server: keyof typeof forwarding) => ['consumers/main.ts', `forward-${server}`]
const bridge = (server: keyof typeof forwarding) => ['scripts/bridge.ts', server, '--queue', 'orders']

describe.each(queueServers.filter(canTest))(
  'bridge and forwarder of %s tell no secret and nothing personal',
  (server) => {
    let pipeline: PlantedPipeline
    let queue: TestQueue
    let sender: Sender
    const running = new Map<string, WatchedProcess>()
    /** With what the running queue server really asks for. */
    const env = () => ({ ...pipeline.stack.sandbox.env, ...forwarding[server], ...queue.env })
    beforeAll(async () => {
      pipeline = await openPlantedPipeline(28_400, [])
      queue = await startQueue(server, 28_600, { durable: true })
      for (const name of ['orders', 'events'])
        await ensureQueues(queue.config, { door: server, queue: name, prefetch: 1 }, true)
      const { rabbitmq, sqs } = queue.config
      sender =
        server === 'rabbitmq' ? await rabbitmqSender(String(rabbitmq.url)) : sqsSender(sqs as NonNullable<typeof sqs>)
      Object.assign(pipeline.stack.sandbox.env, forwarding[server], queue.env)
      succeeded(await pipeline.stack.run('deploy'))
      for (const args of [bridge(server), forwarder(server)]) {
        const started = await watchProcess(env(), args)
        running.set(started.name, started)
      }
    }, 900_000)
    afterAll(async () => {
      for (const each of running.values()) await each[Symbol.asyncDispose]()
      await sender?.[Symbol.asyncDispose]()
      await queue?.[Symbol.asyncDispose]()
      await pipeline?.[Symbol.asyncDispose]()
    })

    const drained = async () => {
      const { rabbitmq, sqs } = queue.config
      if (server === 'rabbitmq') return drainRabbitmq(String(rabbitmq.url), 'events')
      const client = createSqs(sqs as NonNullable<typeof sqs>)
      return drainSqs(client, await queueUrl(client, 'events'))
    }
    /** Runs a process that ends by itself and notes what it says. */
    const failing = async (what: string, settings: NodeJS.ProcessEnv, args: readonly string[]) => {
      const ended = await watchProcess({ ...env(), ...settings }, args, 'ended')
      expect([what, args, ended.exitCode]).toEqual([what, args, expect.any(Number)])
      pipeline.note(`${what}: ${ended.name}`, ended.said())
    }

    test('messages that become orders, and messages that cannot', async () => {
      const { cardNumber, recipient, street } = personal
      const body = JSON.stringify(order())
      const bad = [
        body.slice(0, -20),
        `"${recipient}`,
        JSON.stringify({ ...order(), surname: recipient }),
        JSON.stringify({ ...order(), paymentMethod: cardNumber }),
        JSON.stringify({ ...order(), shipTo: { ...address(), country: street.repeat(90) } }),
        JSON.stringify({ ...order(), lines: [{ sku: street, quantity: recipient }] }),
      ]
      await sender.send('orders', [
        { id: 'good', body },
        ...bad.map((text, index) => ({ id: `bad-${index}`, body: text })),
        { id: 'avro', body: Buffer.from(`\0\0\0\0\x63${recipient}`).toString('base64'), contentType: 'text/avro' },
      ])
      const problems: string[] = []
      await waitUntil('all that is bad is a dead letter', async () => {
        for (const { problem } of await sender.deadLetters('orders')) problems.push(JSON.stringify(problem))
        return problems.length > bad.length
      })
      pipeline.note('problems of dead letters', problems.join('\n'))
      const events: string[] = []
      await waitUntil('the order is handed on', async () => {
        for (const each of await drained()) events.push(each.body)
        return events.length > 0
      })
      expect(events.join('\n')).toContain('sealed:1:')
      const { paymentMethod: _, ...sealed } = personal // That is a token of the gateway, which is not sealed
      expect(leaksIn(events.join('\n'), { ...sealed, ...secrets })).toEqual([])
    }, 600_000)

    test('a server that is lost, frozen and back', async () => {
      queue.kill()
      await Promise.resolve(sender[Symbol.asyncDispose]()).catch(() => {}) // Its connection was cut
      await pipeline.ask('/orders', order()) // There is something to hand on
      const said = () => running.get(bridge(server).join(' '))?.said() ?? ''
      await waitUntil('the bridge says so', () => /does not answer|connection to RabbitMQ lost/.test(said()), {
        withinMs: 180_000,
      })
      for (const { monitor, name } of running.values())
        pipeline.note(`while it is away: ${name}`, await (await fetch(`${monitor}/ready`)).text())
      await queue.restarted()
      await waitUntil('the order is handed on', async () => (await drained()).length > 0, { withinMs: 180_000 })
    }, 600_000)

    test('servers that deny access, repeat what they are told or show the wrong certificate, and bad settings', async () => {
      await using tactless = await tactlessServer()
      await using impostor = await startImpostor()
      const port = server === 'rabbitmq' ? Number(new URL(String(queue.config.rabbitmq.url)).port) : tactless.port
      tactless.mood = 'denies'
      await failing('wrong login', planted[server](port), bridge(server))
      tactless.mood = 'breaks'
      await failing('server that fails', planted[server](tactless.port), bridge(server))
      await failing(
        'certificate',
        planted[server](impostor.port, server === 'rabbitmq' ? 'amqps' : 'https'),
        bridge(server),
      )
      await failing('nobody there', planted[server](9), bridge(server))
      if (server === 'sqs') {
        // Found by the SDK: tokens of an account or a role travel in headers
        const found = { AWS_ACCESS_KEY_ID: 'AKIAPLANT', AWS_SECRET_ACCESS_KEY: secrets.sqsSecret }
        const settings = { ...found, AWS_SESSION_TOKEN: secrets.sessionToken }
        const own = { TALLY_SQS_ACCESS_KEY_ID: undefined, TALLY_SQS_SECRET_ACCESS_KEY: undefined }
        await failing('session', { ...planted.sqs(tactless.port), ...own, ...settings }, bridge(server))
        expect(JSON.stringify(tactless.asked)).toContain(secrets.sessionToken) // The plant was at work
        await failing(
          'half a key',
          { TALLY_SQS_SECRET_ACCESS_KEY: secrets.sqsSecret, TALLY_SQS_ACCESS_KEY_ID: undefined },
          bridge(server),
        )
      } else await failing('no URL', { TALLY_RABBITMQ_URL: `amqp//tally:${secrets.rabbitmqPassword}@` }, bridge(server))

      // A forwarder keeps running while its queue is away, and holds what a refused login leaves
      for (const [what, own] of [
        ['wrong login', planted[server](port)],
        ['server that fails', planted[server](tactless.port)],
      ] as const) {
        tactless.mood = what === 'wrong login' ? 'denies' : 'breaks'
        await running.get(forwarder(server).join(' '))?.[Symbol.asyncDispose]()
        await using alone = await watchProcess({ ...env(), ...own }, forwarder(server))
        await pipeline.ask('/orders', order())
        await waitUntil(`it says why: ${what}`, () => /refuses access|does not answer/.test(alone.said()), {
          withinMs: 180_000,
        })
        pipeline.note(`${what}: forwarder`, alone.said())
        for (const path of ['/metrics', '/ready'])
          pipeline.note(`${what}: forwarder${path}`, await (await fetch(`${alone.monitor}${path}`)).text())
      }
      Object.assign(pipeline.stack.sandbox.env, planted[server](port))
      for (const [name, ...args] of [['doctor'], ['lanes', 'ls'], ['verify', '--queue', `${server}:events`]] as const) {
        const { stderr, stdout } = await pipeline.stack.run(name, ...args)
        pipeline.note(name, stderr + stdout)
      }
    }, 900_000)

    test('finds none of them', async () => {
      for (const each of running.values()) {
        if (each.exitCode === null)
          for (const path of ['/metrics', '/ready', '/live'])
            pipeline.note(`${path} of ${each.name}`, await (await fetch(`${each.monitor}${path}`)).text())
        await each[Symbol.asyncDispose]()
        pipeline.note(`log of ${each.name}`, each.said())
      }
      expect(pipeline.collector.bodies.some((body) => body.includes('tally_bridge_messages_total'))).toBe(true)
      pipeline.note('traces and metrics by OTLP', pipeline.collector.bodies.join('\n'))
      const password = new URL(queue.config.rabbitmq.url ?? onPort(1)).password
      const all = { ...secrets, ...personal, ...(password !== '' && { password }) }
      expect([...pipeline.told].filter(([, text]) => text.trim() === '').map(([what]) => what)).toEqual([])
      expect(
        [...pipeline.told].flatMap(([what, text]) => leaksIn(text, all).map((leak) => `${what}: ${leak}`)),
      ).toEqual([])
    })
  },
)
