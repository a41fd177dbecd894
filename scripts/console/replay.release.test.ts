import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { findStack } from '../../infra/stack/supervisor/running-stack.ts'
import { chromium, openConsoleBench } from './testing/console-bench.ts'
import type { ConsoleBench } from './testing/console-bench.ts'

const why = { name: /^Why/ }

;(chromium ? describe : describe.skip)('replays in the console', () => {
  let bench: ConsoleBench
  beforeAll(async () => {
    bench = await openConsoleBench(22_200)
    await bench.caughtUp() // A plan is refused if its consumer has moved since
  })
  afterAll(async () => bench?.[Symbol.asyncDispose]())

  test('a plan counts before anything moves; a run shows progress, pauses, resumes and is cancelled', async () => {
    await using opened = await bench.open()
    const { page } = opened
    await page.goto('/replay')
    await page.getByRole('heading', { name: 'No replay has been run yet' }).waitFor()
    await plan(page, 'order-status', 'reprocess', 'payments')
    await page.getByRole('heading', { name: '3. What it would touch' }).waitFor()
    await page.getByRole('row', { name: /^payments 6 \d+ \d+ \d+ 0$/ }).waitFor()
    await page
      .getByText(
        /npm run replay -- plan --mode reprocess --group order-status --topic payments --from earliest --out plan\.json/,
      )
      .waitFor()
    expect(await opened.violations()).toEqual([])
    await opened.shoot('replay-plan-light')

    await page.getByRole('textbox', why).fill('the summary was wrong')
    await page.getByRole('textbox', { name: /^Events a second/ }).fill('2')
    await page.getByRole('button', { name: /^Replay \d+ events$/ }).click()
    const row = page.getByRole('row', { name: /^1, reprocess of order-status/ })
    await row.getByRole('progressbar').waitFor()
    await row.getByText('running').waitFor()

    await act(page, 'Pause', 1)
    await page.getByText('Replay 1 is paused.').waitFor()
    await page.getByText('npm run replay -- pause 1').waitFor()
    await page.getByRole('button', { name: 'Close', exact: true }).last().click()
    await row.locator('.pill', { hasText: 'paused' }).waitFor()

    await act(page, 'Resume', 1)
    await page.getByText('npm run replay -- resume 1').waitFor()
    await page.getByRole('button', { name: 'Close', exact: true }).last().click()
    await row.getByText('running').waitFor()

    await act(page, 'Cancel', 1)
    await page
      .getByText(/Replay 1 is cancelled/)
      .first()
      .waitFor()
    await page.getByRole('button', { name: 'Close', exact: true }).last().click()
    await row.locator('.pill', { hasText: 'cancelled' }).waitFor()

    await bench.inspect('/replay', 'replay', (each) => each.locator('.pill', { hasText: 'cancelled' }).waitFor())
    expect(opened.errors).toEqual([])
  })

  test('a run goes to its end, says what it did, and is undone; nothing took effect again', async () => {
    await using opened = await bench.open()
    const { page } = opened
    await page.goto('/replay')
    await plan(page, 'notifications')
    await page.getByRole('textbox', why).fill('drill')
    await page.getByRole('button', { name: /^Replay \d+ events$/ }).click()
    const row = page.getByRole('row', { name: /^2, redeliver of notifications/ })
    await row.locator('.pill', { hasText: 'done' }).waitFor({ timeout: 120_000 })
    await row.getByText(/events? redelivered, nothing changed/).waitFor()
    await row.getByText('drill').waitFor()
    await act(page, 'Undo', 2)
    await page
      .getByText(/Replay 2 is undone/)
      .first()
      .waitFor()
    await page.getByRole('button', { name: 'Close', exact: true }).last().click()
    await row.locator('.pill', { hasText: 'undone' }).waitFor()
    expect(opened.errors).toEqual([])
  })

  test('what a plan would be refused for stands beside its counts', async () => {
    await using opened = await bench.open()
    const { page } = opened
    await page.goto('/replay')
    await plan(page, 'order-status', 'rebuild')
    await page.getByText('It would be refused now').waitFor()
    await page
      .getByText(/events? of order-status (is|are) parked/)
      .first()
      .waitFor()
    expect(opened.errors).toEqual([])
  })

  test('a page that is open while the console is restarted says so, keeps what it shows and connects again', async () => {
    await using opened = await bench.open()
    const { page } = opened
    await page.goto('/orders')
    await page.locator('tbody tr').first().waitFor()
    const stack = await findStack(bench.stack.config.dataDir)
    const running = stack?.processes.find(({ name }) => name === 'console')
    process.kill(running!.identity!.pid, 'SIGKILL')
    await page.getByText('The console does not answer').waitFor()
    expect(await page.locator('tbody tr').count()).toBeGreaterThan(0)
    await page.getByText('The console was restarted').waitFor()
    await page.getByText('Live', { exact: true }).waitFor()
    await page.locator('tbody a').first().click()
    await page.getByText('each behind its cause').waitFor()
    expect(opened.errors).toEqual([])
  })
})

async function plan(page: Page, consumer: string, mode = 'redeliver', topics = ''): Promise<void> {
  await page.getByRole('button', { name: 'New plan' }).click()
  await page.getByRole('radio', { name: new RegExp(`^${mode}`) }).check()
  await page.getByRole('combobox', { name: /^Consumer/ }).selectOption(consumer)
  await page.getByRole('textbox', { name: /^Topics/ }).fill(topics)
  await page.getByRole('textbox', { name: /^From/ }).fill('earliest')
  await page.getByRole('button', { name: 'Count what it would touch' }).click()
  await page.getByRole('heading', { name: '4. Run it' }).waitFor({ timeout: 120_000 })
}

async function act(page: Page, verb: string, replay: number): Promise<void> {
  await page.getByRole('button', { name: `${verb} replay ${replay}` }).click()
  await page.getByRole('dialog').getByRole('button', { name: verb, exact: true }).click()
}
