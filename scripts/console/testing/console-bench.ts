import { expect } from '@jest/globals'
import type { Page } from 'playwright-core'
import { createTestStack, succeeded } from '../../testing/test-stack.ts'
import type { TestStack } from '../../testing/test-stack.ts'
import { findChromium, launchChromium, openPage } from '../../../infra/testing/browser.ts'
import type { Look, TestPage } from '../../../infra/testing/browser.ts'

/** Without it the tests of the pages are skipped. */
export const chromium = findChromium()
if (!chromium) process.stderr.write('No Chromium on PATH: the pages of the console are not tested\n')

/** A stack with orders, of which one is parked, and a browser that looks at its console. */
export interface ConsoleBench extends AsyncDisposable {
  readonly stack: TestStack
  open(look?: Look): Promise<TestPage>
  /** Takes screenshots in both themes and on a phone; axe must find nothing, and the page must log no error. */
  inspect(path: string, name: string, ready: (page: Page) => Promise<unknown>): Promise<void>
}

const looks: readonly Look[] = [{ theme: 'light' }, { theme: 'dark' }, { phone: true }]

/** @param portBase see `createTestStack` */
export async function openConsoleBench(portBase: number): Promise<ConsoleBench> {
  const env = { TALLY_PARTITIONS: '6', TALLY_LOG_LEVEL: 'error', TALLY_RETRY_LIMIT: '0' }
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
  const open = (look?: Look) => openPage(browser, url, look)
  return {
    stack,
    open,
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
