import { expect } from '@jest/globals'
import type { Page } from 'playwright-core'
import { schemaName } from '../../../consumers/runtime/load-consumer.ts'
import { quoteIdentifier } from '../../../infra/postgres/identifiers.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { createTestStack, succeeded } from '../../testing/test-stack.ts'
import type { TestStack } from '../../testing/test-stack.ts'
import { findChromium, launchChromium, openPage } from '../../../infra/testing/browser.ts'
import type { Look, TestPage } from '../../../infra/testing/browser.ts'
import type { LanesPage } from '../contract/lanes.ts'

/** Without it the tests of the pages are skipped. */
export const chromium = findChromium()
if (!chromium) process.stderr.write('No Chromium on PATH: the pages of the console are not tested\n')

/** A stack with orders, of which one is parked, and a browser that looks at its console. */
export interface ConsoleBench extends AsyncDisposable {
  readonly stack: TestStack
  /** @param at address of the console. @default that of the stack */
  open(look?: Look, at?: string): Promise<TestPage>
  /** Resolves when all orders but the parked one have ended and every consumer has read everything. */
  caughtUp(): Promise<void>
  /** Takes screenshots in both themes and on a phone; axe must find nothing, and the page must log no error. */
  inspect(path: string, name: string, ready: (page: Page) => Promise<unknown>): Promise<void>
}

const looks: readonly Look[] = [{ theme: 'light' }, { theme: 'dark' }, { phone: true }]

/** @param portBase see `createTestStack` @param settings environment variables that differ from the bench's own */
export async function openConsoleBench(
  portBase: number,
  settings: Readonly<Record<string, string>> = {},
): Promise<ConsoleBench> {
  const env = { TALLY_PARTITIONS: '6', TALLY_LOG_LEVEL: 'error', TALLY_RETRY_LIMIT: '0', ...settings }
  const stack = await createTestStack(portBase, env)
  const url = `http://127.0.0.1:${stack.config.ports.console}`
  try {
    await stack.start()
    succeeded(await stack.run('produce', 'StockReplenished', '--count', '200'))
    succeeded(await stack.run('produce', 'OrderPlaced', '--count', '60', '--seed', '7'))
    await park(stack, 'o-parked', 'not Avro')
  } catch (error) {
    await stack.close()
    throw error
  }
  const browser = await launchChromium(chromium as string)
  const open = (look?: Look, at = url) => openPage(browser, at, look)
  return {
    stack,
    open,
    async caughtUp() {
      const schema = quoteIdentifier(schemaName(stack.config.namespace, 'order-status'))
      await waitUntil(
        'the orders have ended and all is read',
        async () => {
          const { consumers } = (await (await fetch(`${url}/api/feeds/lanes`)).json()) as LanesPage
          const { rowCount } = await stack.sandbox.pool.query(
            `select from ${schema}.order_status where ended_at is null and order_id <> 'o-parked'`,
          )
          return rowCount === 0 && consumers.length > 0 && consumers.every(({ behind }) => behind === 0)
        },
        { withinMs: 120_000, everyMs: 500 },
      )
    },
    async inspect(path, name, ready) {
      for (const look of looks) {
        await using opened = await open(look)
        await opened.page.goto(path)
        await ready(opened.page)
        await opened.shoot(`${name}-${look.phone ? 'phone' : look.theme}`)
        expect(await opened.violations()).toEqual([])
        expect(opened.errors).toEqual([])
      }
    },
    async [Symbol.asyncDispose]() {
      await browser.close()
      await stack.close()
    },
  }
}

/** Publishes a record that no service can read, and an order behind it. */
async function park({ sandbox, run }: TestStack, key: string, value: string): Promise<void> {
  const producer = sandbox.kafka.producer()
  await producer.connect()
  await producer.send({ topic: `${sandbox.namespace}orders`, messages: [{ key, value: Buffer.from(value) }] })
  await producer.disconnect()
  succeeded(await run('produce', 'OrderPlaced', '--key', key, '--seed', '8'))
}
