import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { sections } from './web/shell/nav.ts'
import { chromium, openConsoleBench } from './testing/console-bench.ts'
import type { ConsoleBench } from './testing/console-bench.ts'

;(chromium ? describe : describe.skip)('the pages of the console', () => {
  let bench: ConsoleBench
  let open: ConsoleBench['open']
  let inspect: ConsoleBench['inspect']
  beforeAll(async () => {
    bench = await openConsoleBench(29_400)
    ;({ open, inspect } = bench)
  })
  afterAll(async () => bench?.[Symbol.asyncDispose]())

  test('orders are found by id, customer and status; a page is as it should be in both themes and on a phone', async () => {
    await using opened = await open()
    const { page } = opened
    await page.goto('/')
    await waitUntil('the orders have ended', async () => (await page.getByText('completed').count()) > 20)
    const first = page.locator('tbody tr').first()
    const orderId = (await first.locator('th').innerText()).trim()
    await page.keyboard.press('/')
    await page.keyboard.type(orderId)
    await page.keyboard.press('Enter')
    await page.getByText(`Found for “${orderId}”`).waitFor()
    await waitUntil('one order is found', async () => (await page.locator('tbody tr').count()) === 1)
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: orderId }).waitFor()
    await page.getByText('each behind its cause').waitFor()
    expect(opened.errors).toEqual([])
    await inspect('/orders', 'orders', (each) => each.locator('tbody tr').first().waitFor())
  })

  test('one order shows every event with its payload, and why an order waits', async () => {
    await using opened = await open()
    const { page } = opened
    await page.goto('/orders?status=completed')
    await page.locator('tbody a').first().click()
    await page.getByRole('button', { name: /PaymentCaptured/ }).click()
    await page.getByText('captureId').first().waitFor()
    const path = new URL(page.url()).pathname
    const shown = async (each: typeof page) => {
      await each.getByRole('button', { name: /PaymentCaptured/ }).click()
      await each.getByText('captureId').first().waitFor()
    }
    await inspect(path, 'order', shown)
    await inspect('/orders/o-parked', 'order-parked', (each) =>
      each.getByRole('heading', { name: 'It waits for an operator' }).waitFor(),
    )
    await page.goto('/orders/o-parked')
    await page.getByText('npm run parked -- show').first().waitFor()
    await page.getByRole('button', { name: /unknown type/ }).click()
    await page.getByText('6e 6f 74 20 41 76 72 6f').waitFor()
    expect(opened.errors).toEqual([])
  })

  test('keys: ? helps, g and a letter lead to a page, j and k move, / searches, p holds, Esc leaves', async () => {
    await using opened = await open()
    const { page } = opened
    await page.goto('/nowhere')
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
    expect(await opened.violations()).toEqual([])
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
    expect(await opened.violations()).toEqual([])
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    for (const { key, path } of sections) {
      await page.keyboard.press('g')
      await page.keyboard.press(key)
      await page.waitForURL(`**${path}`)
    }
    await page.goto('/orders')
    await page.locator('tbody tr').nth(2).waitFor()
    for (const key of ['j', 'j', 'j', 'k']) await page.keyboard.press(key)
    expect(await page.evaluate(`document.activeElement.closest('tr').sectionRowIndex`)).toBe(1)
    await page.keyboard.press('/')
    expect(await page.evaluate('document.activeElement.type')).toBe('search')
    await page.keyboard.press('Escape')
    expect(await page.evaluate('document.activeElement === document.body')).toBe(true)
    await page.keyboard.press('p')
    await page.getByText('Live updates are paused').waitFor()
    expect(await opened.violations()).toEqual([])
    await page.keyboard.press('p')
    await page.getByText('Live', { exact: true }).waitFor()
    expect(opened.errors).toEqual([])
  })

  test('flow: writers, topics and consumers with their figures; the tables say the same', async () => {
    await inspect('/flow', 'flow', async (page) => {
      await page.getByRole('img', { name: /Writers, topics and consumers/ }).waitFor()
      await page.getByRole('rowheader', { name: 'order-status' }).waitFor()
    })
  })

  test('topics: records at an offset, decoded; filters; schemas with their versions', async () => {
    await using opened = await open()
    const { page } = opened
    await page.goto('/topics')
    await page.getByText('PaymentCaptured', { exact: true }).first().waitFor()
    await inspect('/topics', 'topics', (each) => each.getByText('PaymentCaptured', { exact: true }).first().waitFor())
    await page.goto('/topics/orders?from=earliest&partition=0')
    await page.locator('.event-line').first().click()
    await page.getByText('"customerId"').waitFor()
    await page.getByLabel('Type').selectOption('CancellationRequested')
    await page.getByRole('button', { name: 'Read' }).click()
    await page.getByText('No records match').waitFor()
    await inspect('/topics/orders', 'records', (each) => each.locator('.event-line').first().waitFor())
    expect(opened.errors).toEqual([])
  })

  test('proof: verify runs, and its invariants are shown', async () => {
    await using opened = await open()
    const { page } = opened
    await page.keyboard.press('Tab')
    await page.goto('/proof')
    await page.getByRole('button', { name: 'Verify now' }).click()
    await page.getByRole('heading', { name: /Proved|Not proved/ }).waitFor({ timeout: 120_000 })
    await page.getByText('each completed order has one capture').waitFor()
    await inspect('/proof', 'proof', (each) => each.getByText('each completed order has one capture').waitFor())
    expect(opened.errors).toEqual([])
  })
})
