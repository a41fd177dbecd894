import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { chromium, openConsoleBench } from './testing/console-bench.ts'
import type { ConsoleBench } from './testing/console-bench.ts'
import { refuseOrders } from './testing/refused-orders.ts'
import type { RefusedOrders } from './testing/refused-orders.ts'

const why = { name: /^Why/ }

;(chromium ? describe : describe.skip)('parked events in the console', () => {
  let bench: ConsoleBench
  let refused: RefusedOrders
  beforeAll(async () => {
    bench = await openConsoleBench(22_000)
    refused = await refuseOrders(bench.stack)
  })
  afterAll(async () => bench?.[Symbol.asyncDispose]())

  test('grouped by cause; one is tried, some are dropped with a reason, and the audit says so', async () => {
    await using opened = await bench.open()
    const { page } = opened
    await bench.inspect('/parked', 'parked', (each) => each.getByText('The database refused it').first().waitFor())
    await page.goto('/parked')
    await page.getByRole('link', { name: 'The database refused it' }).first().click()
    await page.getByRole('heading', { name: 'The database refused it' }).waitFor()
    const boxes = page.getByRole('checkbox')
    await boxes.nth(0).check()
    await page.getByText('1 chosen event', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Dry run' }).click()
    await page.getByRole('button', { name: 'Try' }).click()
    await page.getByText('1 of 1 key tried. Nothing was changed, published or called.').waitFor()
    await page
      .getByRole('dialog')
      .getByText(/violates check constraint/)
      .first()
      .waitFor()
    await page.getByRole('button', { name: 'Close' }).click()

    await boxes.nth(1).check()
    await page.getByText('2 chosen events', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Drop …' }).click()
    const drop = page.getByRole('button', { name: 'Drop 2 chosen events for good' })
    expect(await drop.isDisabled()).toBe(true)
    await page.getByRole('textbox', why).fill('placed by mistake')
    await drop.click()
    await page.getByText('2 events dropped. Events that waited behind them are due now.').waitFor()
    await page
      .getByText(/npm run parked -- drop order-status\/\d+ order-status\/\d+ --why 'placed by mistake'/)
      .waitFor()
    await page.getByRole('button', { name: 'Close' }).click()
    await page.goto('/parked')
    await waitUntil('the audit names both', async () => (await page.getByText('placed by mistake').count()) === 2)
    expect(await opened.violations()).toEqual([])
    expect(opened.errors).toEqual([])
  })

  test('one is redriven and fails again; all are redriven at a rate, with progress, once the cause is gone', async () => {
    await using opened = await bench.open()
    const { page } = opened
    const openCause = async () => {
      await page.goto('/parked')
      await page.getByRole('link', { name: 'The database refused it' }).first().click()
      await page.getByRole('checkbox').first().waitFor()
    }
    await openCause()
    await page.getByRole('checkbox').nth(0).check()
    await page.getByRole('button', { name: 'Redrive …' }).click()
    await page.getByRole('button', { name: 'Redrive 1 chosen event' }).click()
    await page
      .getByText(/failed again/)
      .first()
      .waitFor()

    await refused.accept()
    await openCause()
    await page.getByRole('button', { name: 'Redrive …' }).click()
    await page.getByRole('textbox', why).fill('the constraint is gone')
    await page.getByRole('textbox', { name: /^Keys a second/ }).fill('3')
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Redrive \d+ events$/ })
      .click()
    await page.getByRole('progressbar').waitFor()
    await page
      .getByText(/order-status: \d+ events due now|\d+ of \d+ events? handled/)
      .first()
      .waitFor()
    await opened.shoot('redrive-light')
    await page
      .getByText(/npm run parked -- redrive --group order-status --cause \S+ --why 'the constraint is gone' --rate 3/)
      .waitFor()
    await page
      .getByText(/^\d+ events? handled/)
      .first()
      .waitFor({ timeout: 120_000 })
    await page.getByRole('button', { name: 'Close' }).click()
    await page.getByRole('heading', { name: 'None of these is parked any more' }).waitFor()
    await page.goto('/parked')
    await page.getByText('the constraint is gone').first().waitFor()
    expect(opened.errors).toEqual([])
  })

  test('an edit is checked against the schema, tried, written with a reason, and handled', async () => {
    await using opened = await bench.open()
    const { page } = opened
    const name = await unreadable('notifications')
    await page.goto(`/parked/${name}`)
    await bench.inspect(`/parked/${name}`, 'parked-event', (each) =>
      each.getByText(/6e 6f 74 20 41 76 72 6f/).waitFor(),
    )
    await page.getByRole('button', { name: 'Edit …' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('textbox', { name: /^Event type/ }).fill('CancellationRequested')
    const data = dialog.getByRole('textbox', { name: /^Data, JSON/ })
    await data.fill('{"orderId": "o-parked", "requestedAt": "tomorrow"}')
    await dialog.getByRole('button', { name: 'Dry run' }).click()
    await dialog
      .getByRole('alert')
      .getByText(/reason/)
      .waitFor()
    await dialog.getByText('Nothing was done').waitFor()
    await data.fill('{"orderId": "o-parked", "reason": "typed by hand", "requestedAt": 1767592800000}')
    await dialog.getByRole('button', { name: 'Dry run' }).click()
    await dialog.getByText('1 of 1 key tried. Nothing was changed, published or called.').waitFor()
    await dialog.getByText('handled').first().waitFor()
    await dialog.getByRole('textbox', why).fill('the customer called')
    expect(await opened.violations()).toEqual([])
    await dialog.getByRole('button', { name: 'Change it' }).click()
    await dialog
      .getByText(/events? handled/)
      .first()
      .waitFor({ timeout: 120_000 })
    await dialog.getByRole('button', { name: 'Close' }).click()
    await page.getByText('It is not parked any more').waitFor()
    await page.getByRole('row', { name: /edited .*the customer called/ }).waitFor()
    expect(opened.errors).toEqual([])
  })

  test('of two operators on one event, the second is told what the first has done', async () => {
    await using ann = await bench.open()
    await using bob = await bench.open()
    const name = await unreadable('payment')
    for (const [who, { page }] of [
      ['ann', ann],
      ['bob', bob],
    ] as const) {
      await page.goto(`/parked/${name}`)
      await page.getByLabel('Acting as').fill(who)
      await page.getByRole('button', { name: 'Edit …' }).click()
      await page.getByRole('textbox', { name: /^Event type/ }).fill('CancellationRequested')
      await page
        .getByRole('textbox', { name: /^Data, JSON/ })
        .fill(`{"orderId": "o-parked", "reason": "${who}", "requestedAt": 1767592800000}`)
      await page.getByRole('textbox', why).fill(`${who} was asked to`)
      await page.getByLabel('Redrive it at once').uncheck()
    }
    const change = { name: 'Change it' }
    await ann.page.getByRole('button', change).click()
    await ann.page.getByText(`${name} is changed; the bytes before are in the audit.`).waitFor()
    await bob.page.getByRole('button', change).click()
    await bob.page.getByText(`${name} was edited by another operator since you opened it`).waitFor()

    for (const { page } of [ann, bob]) {
      await page.getByRole('button', { name: 'Close' }).click()
      await page.getByRole('button', { name: 'Drop …' }).click()
      await page.getByRole('textbox', why).fill('not needed')
    }
    const drop = { name: `Drop ${name} for good` }
    await ann.page.getByRole('button', drop).click()
    await ann.page.getByText('1 event dropped').waitFor()
    await bob.page.getByRole('button', drop).click()
    await bob.page.getByText(/payment\/\d+ \(key o-parked\) was dropped at .* by ann: not needed/).waitFor()
    await bob.page.getByRole('button', { name: 'Close' }).click()
    await bob.page.getByText('It is not parked any more').waitFor()
    expect([...ann.errors, ...bob.errors]).toEqual([])
  })

  /** Name of the parked event of a consumer that is not Avro. */
  async function unreadable(consumer: string): Promise<string> {
    const list = `http://127.0.0.1:${bench.stack.config.ports.console}/api/feeds/parked-list?group=${consumer}&key=o-parked`
    const { entries } = (await (await fetch(list)).json()) as { entries: { name: string; reason: string }[] }
    return entries.find(({ reason }) => reason === 'UNREADABLE')!.name
  }
})
