import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import type { TestPage } from '../../infra/testing/browser.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { createCodec } from '../../schemas/codec/codec.ts'
import { fillConsole } from '../bench/console/fill-console.ts'
import { chromium, openConsoleBench } from './testing/console-bench.ts'
import type { ConsoleBench } from './testing/console-bench.ts'

const markup = `<img src=x onerror="globalThis.ran=1"><script>globalThis.ran=1</script>`
const key = `o-${markup}`
/** Found again after encoding, to be replaced by as many bytes that are not UTF-8. */
const marker = 'notUTF-8'

/** A record, and what the pages show of it. */
interface Strange {
  readonly name: string
  readonly value: Buffer
  readonly headers?: Record<string, string | Buffer>
  readonly says: readonly (string | RegExp)[]
}

;(chromium ? describe : describe.skip)('what is large or strange on the pages of the console', () => {
  let bench: ConsoleBench
  let records: readonly (Strange & { offset: string; partition: number })[]
  beforeAll(async () => {
    bench = await openConsoleBench(22_300)
    records = await publish(await strangeRecords())
  })
  afterAll(async () => bench?.[Symbol.asyncDispose]())

  test('topics: markup, a megabyte, broken UTF-8 and unknown schemas are text', async () => {
    await using opened = await bench.open()
    const { page } = opened
    await page.goto(`/topics/orders?from=earliest&key=${encodeURIComponent(key)}`)
    for (const { offset, partition, says } of records) {
      const item = page.locator('.event', { hasText: `orders/${partition}@${offset}` })
      await item.locator('.event-line').click()
      await isText(item, says)
    }
    await isHarmless(opened)
    await opened.shoot('records-strange-light')
  })

  test('parked: the same, decoded and raw, in the list and in the event; the order, too', async () => {
    await using opened = await bench.open()
    const { page } = opened
    const entries = await parkedOf('order-status')
    await page.goto(`/parked?group=order-status&key=${encodeURIComponent(key)}`)
    await waitUntil('all are listed', async () => (await page.locator('tbody tr').count()) === records.length)
    await isHarmless(opened)
    for (const { offset, partition, says } of records) {
      const { name } = entries.find(({ record }) => record === `orders/${partition}@${offset}`)!
      await page.goto(`/parked/${name}`)
      await isText(page.locator('.payloads'), says)
      await isHarmless(opened)
    }
    await opened.shoot('parked-event-strange-light')
    await page.goto(`/orders/${encodeURIComponent(key)}`)
    await page.getByRole('heading', { name: key }).waitFor()
    await page
      .getByRole('button', { name: /CancellationRequested/ })
      .first()
      .click()
    await page.getByText('npm run parked -- show').first().waitFor()
    await isHarmless(opened)
  })

  test('100,000 orders and 10,000 parked events come in pages of 50', async () => {
    await fillConsole(bench.stack.sandbox, 100_000)
    await using opened = await bench.open()
    const { page } = opened
    const rows = page.locator('main tbody tr')
    const first = rows.first().locator('th')
    const turn = async (to: RegExp) => {
      const before = await first.innerText()
      await page.getByRole('button', { name: to }).click()
      await waitUntil('another page is shown', async () => (await first.innerText()) !== before)
      expect(await rows.count()).toBe(50)
    }
    for (const path of ['/orders?status=rejected', '/parked?group=order-status&cause=']) {
      await page.goto(path)
      await waitUntil('a page is shown', async () => (await rows.count()) === 50)
      await turn(/Older/)
      await turn(/Older/)
      await turn(/Newer/)
      expect(await page.locator('main *').count()).toBeLessThan(2_000)
    }
    await bench.inspect('/parked?group=order-status&cause=', 'parked-cause', (each) =>
      each.locator('tbody tr').nth(49).waitFor(),
    )
    await page.goto('/parked')
    await page
      .getByText('10,000', { exact: true })
      .or(page.getByText(/^10,0\d\d$/))
      .first()
      .waitFor()
    expect(await rows.count()).toBeLessThan(250)
    expect(opened.errors).toEqual([])
  })

  /** Nothing of a record has become part of the page, and no page grows with a record. */
  async function isHarmless({ page, errors, violations }: TestPage): Promise<void> {
    expect(await page.evaluate('globalThis.ran')).toBeUndefined()
    expect(await page.locator('main img, main script').count()).toBe(0)
    expect(await page.evaluate<number>('document.body.textContent.length')).toBeLessThan(500_000)
    expect(errors).toEqual([])
    expect(await violations()).toEqual([])
  }

  async function isText(part: ReturnType<Page['locator']>, says: Strange['says']): Promise<void> {
    for (const each of says) await part.getByText(each).first().waitFor()
  }

  async function strangeRecords(): Promise<Strange[]> {
    const { namespace, registry } = bench.stack.config
    const codec = await createCodec({ registryUrl: registry.url, namespace })
    const cancellation = (reason: string) =>
      codec.encode('CancellationRequested', { orderId: key, reason, requestedAt: 1_767_592_800_000 })
    const unknown = Buffer.concat([Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]), Buffer.from('what is it')])
    return [
      { name: 'markup', value: Buffer.from(markup), headers: { [markup]: markup }, says: [/3c 69 6d 67/, markup] },
      { name: 'unknown schema', value: unknown, says: [/schema 2147483647/i, /00 7f ff ff ff/] },
      { name: 'a megabyte', value: Buffer.alloc(1_000_000, '<b>'), says: ['… 999,488 bytes more'] },
      { name: 'decoded markup', value: cancellation(markup), says: [/"reason": "<img src=x/] },
      { name: 'broken UTF-8', value: broken(cancellation(marker)), says: [/\uFFFD|ff ff/] },
    ]
  }

  async function publish(strange: readonly Strange[]): Promise<typeof records> {
    const { kafka, namespace } = bench.stack.sandbox
    const producer = kafka.producer()
    await producer.connect()
    const sent: (typeof records)[number][] = []
    for (const each of strange) {
      const [at] = await producer.send({
        topic: `${namespace}orders`,
        messages: [
          { key, value: each.value, headers: { ...each.headers, broken: Buffer.from([0xff, 0xfe, 0xc3, 0x28]) } },
        ],
      })
      sent.push({ ...each, offset: at!.baseOffset!, partition: at!.partition })
    }
    await producer.disconnect()
    await waitUntil('they are parked', async () => (await parkedOf('order-status')).length === strange.length)
    return sent
  }

  async function parkedOf(group: string): Promise<{ name: string; record: string }[]> {
    const query = `group=${group}&key=${encodeURIComponent(key)}`
    const list = `http://127.0.0.1:${bench.stack.config.ports.console}/api/feeds/parked-list?${query}`
    return ((await (await fetch(list)).json()) as { entries: { name: string; record: string }[] }).entries
  }
})

function broken(value: Buffer): Buffer {
  const at = value.indexOf(marker)
  return Buffer.concat([value.subarray(0, at), Buffer.alloc(marker.length, 0xff), value.subarray(at + marker.length)])
}
