import { resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import type { Fault } from '../../infra/testing/faults/fault.ts'
import { TcpProxy } from '../../infra/testing/faults/tcp-proxy.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { launchProcess } from '../testing/test-stack.ts'
import { chromium, openConsoleBench } from './testing/console-bench.ts'
import type { ConsoleBench } from './testing/console-bench.ts'

const servers = ['postgres', 'kafka', 'registry'] as const
type Server = (typeof servers)[number]
type Outage = 'down' | Fault

/** What must be said, and that something is shown all the same. */
type Expected = Readonly<Record<string, { says: RegExp; shows?: true }>>

const whatToDo = /npm (start|run)|TALLY_/
const databaseAway = /PostgreSQL.* does not answer/
const brokerAway = /Kafka.* does not answer/
const registryAway = /schema registry.* does not answer/i

;(chromium ? describe : describe.skip)('a part of the pipeline is away from the console', () => {
  let bench: ConsoleBench
  let parkedEvent: string
  let order: string
  const opened = new AsyncDisposableStack()
  const proxies = {} as Record<Server, TcpProxy>
  const down = new Set<Server>()
  const reopen = {} as Record<Server, () => Promise<void>>
  let through: string
  let withoutRights: string

  beforeAll(async () => {
    bench = opened.use(await openConsoleBench(22_400))
    const { config, sandbox } = bench.stack
    const list = `http://127.0.0.1:${config.ports.console}/api/feeds/parked-list?group=payment&key=o-parked`
    const { entries } = (await (await fetch(list)).json()) as { entries: { name: string }[] }
    parkedEvent = `/parked/${entries.at(-1)!.name}`
    const all = `http://127.0.0.1:${config.ports.console}/api/feeds/orders?status=completed`
    const { orders } = (await (await fetch(all)).json()) as { orders: { orderId: string }[] }
    order = `/orders/${orders[0]!.orderId}`
    const [database, registry] = [new URL(config.postgres.url), new URL(config.registry.url)]
    const [broker = ''] = config.kafka.brokers
    const targets = { postgres: database.port, kafka: broker.split(':')[1], registry: registry.port }
    for (const server of servers) {
      proxies[server] = await TcpProxy.open({ target: { port: Number(targets[server]) } })
      const { port } = proxies[server]
      reopen[server] = async () => {
        proxies[server] = await TcpProxy.open({ port, target: { port: Number(targets[server]) } })
      }
    }
    opened.defer(() => Promise.all(Object.values(proxies).map((proxy) => proxy[Symbol.asyncDispose]())).then(() => {}))
    through = await serve(config.ports.console + 1, {
      TALLY_DATABASE_URL: Object.assign(new URL(database), { port: String(proxies.postgres.port) }).href,
      TALLY_REGISTRY_URL: Object.assign(new URL(registry), { port: String(proxies.registry.port) }).href,
      TALLY_KAFKA_BROKERS: `127.0.0.1:${proxies.kafka.port}`,
    })
    const role = `${sandbox.namespace}nobody`
    await sandbox.pool.query(`create role "${role}" login password 'nobody'`)
    opened.defer(() => sandbox.pool.query(`drop owned by "${role}"; drop role "${role}"`).then(() => {}))
    withoutRights = await serve(config.ports.console + 2, {
      TALLY_DATABASE_URL: Object.assign(new URL(database), { username: role, password: 'nobody' }).href,
    })
  })
  afterEach(back)
  afterAll(() => opened.disposeAsync())

  async function fail(server: Server, how: Outage): Promise<void> {
    if (how !== 'down') return proxies[server].inject(how)
    await proxies[server][Symbol.asyncDispose]() // Connections are refused, as by a server that was killed
    down.add(server)
  }
  async function back(): Promise<void> {
    for (const server of down) await reopen[server]()
    down.clear()
    for (const proxy of Object.values(proxies)) proxy.heal()
  }

  /** Another console of the same pipeline. @returns its address */
  async function serve(port: number, settings: Record<string, string>): Promise<string> {
    const env = { ...bench.stack.sandbox.env, ...settings, TALLY_CONSOLE_PORT: String(port), TALLY_MONITOR_PORT: '0' }
    opened.use(launchProcess(resolve('.'), env, 'scripts/console/main.ts'))
    const url = `http://127.0.0.1:${port}`
    await waitUntil('the console answers', async () => (await fetch(`${url}/api/feeds/proof`)).ok)
    return url
  }

  const readings = '/topics/orders?from=earliest&partition=0'
  test.each<[string, Server, Outage, Expected]>([
    // First: a console that has reached the registry once can decode without it
    [
      'the registry',
      'registry',
      'down',
      {
        '/orders/o-parked': { says: registryAway, shows: true },
        '/topics': { says: registryAway, shows: true },
        [readings]: { says: registryAway, shows: true },
      },
    ],
    [
      'a registry that refuses access',
      'registry',
      { kind: 'http-error', status: 403 },
      { '/topics': { says: /registry .*refuses access \(403\)/, shows: true } },
    ],
    [
      'the database',
      'postgres',
      'down',
      {
        ...Object.fromEntries(
          ['/', '/orders/o-parked', '/parked', 'event', '/lanes', '/replay'].map((path) => [
            path,
            { says: databaseAway },
          ]),
        ),
        ...Object.fromEntries(
          ['/flow', '/topics', readings, 'order'].map((path) => [path, { says: databaseAway, shows: true as const }]),
        ),
      },
    ],
    [
      'a frozen database',
      'postgres',
      { kind: 'stall' },
      { '/': { says: databaseAway }, '/parked': { says: databaseAway }, '/lanes': { says: databaseAway } },
    ],
    [
      'the broker',
      'kafka',
      'down',
      {
        '/orders/o-parked': { says: brokerAway, shows: true },
        '/lanes': { says: brokerAway, shows: true },
        '/flow': { says: brokerAway, shows: true },
        [readings]: { says: brokerAway },
      },
    ],
    [
      'a frozen broker',
      'kafka',
      { kind: 'stall' },
      { '/lanes': { says: brokerAway, shows: true }, [readings]: { says: brokerAway } },
    ],
  ])('%s: each page says so, and what to do; what it still knows is shown', async (name, server, how, expected) => {
    await fail(server, how)
    await expectPages(through, name.replaceAll(' ', '-'), expected)
  })

  test('no rights in the database: each page says so, and what to do', async () => {
    const denied = /PostgreSQL denies/
    const paths = ['/', '/parked', '/lanes', '/flow', '/topics']
    await expectPages(withoutRights, 'no-rights', Object.fromEntries(paths.map((path) => [path, { says: denied }])))
  })

  test('a page that is open keeps what it shows, refuses an act, and recovers', async () => {
    await using orders = await bench.open({}, through)
    await using event = await bench.open({}, through)
    await orders.page.goto('/')
    await orders.page.locator('tbody tr').first().waitFor()
    await event.page.goto(parkedEvent)
    await event.page.getByRole('button', { name: 'Drop …' }).click()
    await event.page.getByRole('textbox', { name: /^Why/ }).fill('a test')
    await fail('postgres', 'down')
    await event.page.getByRole('button', { name: /for good$/ }).click()
    await event.page.getByText('Nothing was done').waitFor()
    await event.page.getByRole('dialog').getByText(databaseAway).waitFor()
    await orders.page.getByText('Could not read the orders again').waitFor()
    await orders.page.getByText(/Shown as of \d\d:\d\d:\d\d/).waitFor()
    expect(await orders.page.locator('tbody tr').count()).toBeGreaterThan(0)
    expect(await orders.violations()).toEqual([])
    await back()
    await orders.page.getByText('Could not read the orders again').waitFor({ state: 'detached' })
    await event.page.getByText('Could not read the event again').waitFor({ state: 'detached' })
    expect([...orders.errors, ...event.errors]).toEqual([])
  })

  async function expectPages(url: string, name: string, expected: Expected): Promise<void> {
    const faults = await Promise.all(
      Object.entries(expected).map(async ([path, { says, shows }]) => {
        await using shown = await bench.open({ theme: name.includes('frozen') ? 'dark' : 'light' }, url)
        await shown.page.goto({ event: parkedEvent, order }[path] ?? path)
        await settled(shown.page)
        await shown.shoot(`state-${name}-${/\w+/.exec(path)?.[0] ?? 'orders'}`)
        const told = (await shown.page.locator('main').innerText()).replaceAll(/\s+/g, ' ')
        const rows = await shown.page.locator('main tbody tr, main .events > li').count()
        return {
          path,
          told: says.test(told) && whatToDo.test(told) ? 'what is wrong and what to do' : told.slice(0, 800),
          shows: rows > 0 || !shows,
          title: await shown.page.locator('main h1').count(),
          ...{ errors: shown.errors, violations: await shown.violations() },
        }
      }),
    )
    const right = { told: 'what is wrong and what to do', shows: true, title: 1, errors: [], violations: [] }
    expect(faults).toEqual(Object.keys(expected).map((path) => ({ path, ...right })))
  }

  /** Every part has answered or has given up. */
  const settled = (page: Page) =>
    waitUntil('every part has answered', async () => {
      const [parts, waiting] = [
        page.locator('main .notice, main tbody tr, main .events > li'),
        page.locator('main .loading'),
      ]
      return (await parts.count()) > 0 && (await waiting.count()) === 0
    })
})
