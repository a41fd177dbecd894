import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { environmentWithoutServers, loadConfig } from '../../infra/config.ts'
import { createKafka } from '../../infra/kafka/client.ts'
import { RecordSender } from '../../infra/kafka/record-sender.ts'
import { silentLogger } from '../../infra/logger.ts'
import { mintToken } from '../../infra/security/access-token.ts'
import { launchChromium, openPage } from '../../infra/testing/browser.ts'
import type { Look, TestPage } from '../../infra/testing/browser.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { createSecureStack } from '../stack/testing/secure-stack.ts'
import type { SecureStack } from '../stack/testing/secure-stack.ts'
import { launchProcess } from '../testing/test-stack.ts'
import { chromium } from './testing/console-bench.ts'

const patienceMs = 900_000

;(chromium ? describe : describe.skip)('the console of a secured stack', () => {
  const opened = new AsyncDisposableStack()
  let stack: SecureStack
  let env: NodeJS.ProcessEnv
  let browser: Browser
  let url: string
  let token: string
  const minted: string[] = []
  const asked: string[] = []

  beforeAll(async () => {
    stack = opened.use(await createSecureStack(23_900, { TALLY_RETRY_LIMIT: '0', TALLY_LOG_LEVEL: 'info' }))
    env = { ...environmentWithoutServers(), ...stack.env, TALLY_PRINCIPAL: 'admin' }
    await stack.start('--secure')
    await stack.run('produce', 'OrderPlaced', '--count', '10', '--seed', '7')
    const config = loadConfig(env)
    url = `http://127.0.0.1:${config.ports.console}`
    const sender = new RecordSender(createKafka({ servers: config.kafka, clientId: 'test', log: silentLogger }))
    await sender.send([{ topic: 'orders', partition: 0, key: 'o-parked', value: Buffer.from('not Avro'), headers: {} }])
    await sender.stop()
    token = await tokenOf('--operator', 'anna')
    await waitUntil(
      'the event is parked',
      async () => (await feed<{ entries: object[] }>(parkedList)).entries.length > 0,
    )
    browser = await launchChromium(chromium as string)
    opened.defer(() => browser.close())
  }, patienceMs)
  afterAll(() => opened.disposeAsync())

  const parkedList = 'parked-list?group=payment&key=o-parked'
  const feed = async <T>(name: string): Promise<T> =>
    (await (await fetch(`${url}/api/feeds/${name}`, { headers: { authorization: `Bearer ${token}` } })).json()) as T
  async function tokenOf(...args: string[]): Promise<string> {
    const made = (JSON.parse(await stack.run('token', ...args)) as { token: string }).token
    minted.push(made)
    return made
  }
  async function open(look: Look = {}, at = url): Promise<TestPage> {
    const page = await openPage(browser, at, look)
    page.page.on('request', (request) => asked.push(request.url()))
    return page
  }
  async function signIn({ page }: TestPage, given = token): Promise<void> {
    await page.getByRole('textbox', { name: 'Token' }).fill(given)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  }

  test('what an operator does is audited under the subject of the token', async () => {
    const [parked] = (await feed<{ entries: { name: string }[] }>(parkedList)).entries
    await using shown = await open()
    const { page } = shown
    await page.goto(`/parked/${parked!.name}`)
    await page.evaluate(() => localStorage.setItem('tally.actor', 'mallory'))
    await signIn(shown)
    await page.getByRole('button', { name: 'Drop …' }).click()
    await page.getByRole('textbox', { name: /^Why/ }).fill('no order at all')
    await page.getByRole('button', { name: /for good$/ }).click()
    await page.getByText('1 event dropped').waitFor()
    await page.getByRole('button', { name: 'Close' }).click()
    await page.goto('/parked')
    await page.getByRole('row', { name: /dropped.* anna .*no order at all/ }).waitFor()
    await shown.shoot('parked-audit-signed-in-light')
    expect(await shown.violations()).toEqual([])
    expect(shown.errors).toEqual([])
  })

  test('a session that ends leaves a dialog as it is, and its act can be repeated', async () => {
    await using shown = await open()
    const { page } = shown
    await page.goto('/lanes')
    const short = await mintToken(loadConfig(env), { subject: 'anna', scopes: ['operations'], lifeS: 15 })
    minted.push(short)
    await signIn(shown, short)
    await page.getByRole('button', { name: /^Lane 0 of notifications: / }).click()
    await page.getByRole('button', { name: 'Pause …' }).click()
    await page.getByLabel('Why').fill('the mail server moves')
    await page.getByText('Your session has ended').waitFor()
    await page.getByRole('button', { name: 'Pause', exact: true }).last().click()
    await page.getByText('Nothing was done').waitFor()
    await shown.shoot('session-ended-act-light')
    expect(await shown.violations()).toEqual([])
    await page.getByRole('dialog').getByRole('button', { name: 'Sign in …' }).click()
    const again = page.getByRole('dialog', { name: 'Sign in again' })
    await again.waitFor()
    await shown.shoot('session-ended-sign-in-light')
    expect(await shown.violations()).toEqual([])
    await again.getByRole('textbox', { name: 'Token' }).fill(token)
    await again.getByRole('button', { name: 'Sign in', exact: true }).click()
    await again.waitFor({ state: 'detached' })
    expect(await page.getByLabel('Why').inputValue()).toBe('the mail server moves')
    await page.getByRole('button', { name: 'Pause', exact: true }).last().click()
    await page.getByText('paused; calls already made are still answered').waitFor()
    await page.keyboard.press('Escape')
    await page.getByText(/Lane 0: paused by anna/).waitFor()
    expect(shown.errors).toEqual([])
  })

  test('a user whom Kafka denies topics: the pages say so, and what to do', async () => {
    const port = loadConfig(env).ports.console + 1
    const limited = {
      ...{ ...env, TALLY_PRINCIPAL: 'payment', TALLY_DATABASE_URL: loadConfig(env).postgres.url },
      ...{ TALLY_CONSOLE_PORT: String(port), TALLY_MONITOR_PORT: '0' },
    }
    opened.use(launchProcess(resolve('.'), limited, 'scripts/console/main.ts'))
    const at = `http://127.0.0.1:${port}`
    await waitUntil('it answers', async () => (await fetch(`${at}/api/session`)).status === 401)
    await using shown = await open({}, at)
    await shown.page.goto('/')
    await signIn(shown)
    await shown.page.getByText('Signed in as anna').waitFor()
    for (const path of ['/lanes', '/flow', '/topics/stock?from=earliest&partition=0']) {
      await shown.page.goto(path)
      await shown.page.getByText(/Kafka denies payment access to a topic: log in as a user who may/).waitFor()
      await shown.shoot(`state-kafka-denies-${/\w+/.exec(path)![0]}`)
      expect(await shown.violations()).toEqual([])
    }
    expect(shown.errors).toEqual([])
  })

  test('no token is in an address or in a log', () => {
    const folder = join(stack.dataDir, 'logs')
    const logs = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
    expect(logs.join('')).toContain('"operator":"anna"')
    for (const text of [...logs, ...asked]) for (const each of minted) expect(text.includes(each)).toBe(false)
    expect(asked.length).toBeGreaterThan(10)
  })
})
