import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { chromium, openConsoleBench } from './testing/console-bench.ts'
import type { ConsoleBench } from './testing/console-bench.ts'

;(chromium ? describe : describe.skip)('what operators do on the pages of the console', () => {
  let bench: ConsoleBench
  let open: ConsoleBench['open']
  let inspect: ConsoleBench['inspect']
  beforeAll(async () => {
    bench = await openConsoleBench(29_600)
    ;({ open, inspect } = bench)
  })
  afterAll(async () => bench?.[Symbol.asyncDispose]())

  test('lanes: who owns which; pause with a reason, resume; the command line is shown', async () => {
    await using opened = await open()
    const { page } = opened
    await page.goto('/lanes')
    const lane = page.getByRole('button', { name: /^Lane 2 of notifications: / })
    await lane.click()
    await page.getByText('Its owners, newest first').waitFor()
    await page.getByRole('button', { name: 'Pause …' }).click()
    await page.getByLabel('Why').fill('the mail server moves')
    await page.getByRole('button', { name: 'Pause', exact: true }).last().click()
    await page.getByText('paused; calls already made are still answered').waitFor()
    await page.getByText(`npm run lanes -- pause notifications --lane 2 --why 'the mail server moves'`).waitFor()
    await page.keyboard.press('Escape')
    await page.getByText(/Lane 2: paused by .*the mail server moves/).waitFor()
    await inspect('/lanes', 'lanes', (each) => each.getByText('the mail server moves').waitFor())
    await page.getByRole('button', { name: 'Resume …' }).click()
    await page.getByRole('button', { name: 'Resume', exact: true }).last().click()
    await page.getByText(/notifications 2: (resumed|has not resumed yet)/).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Lane 2 of notifications: live' }).waitFor()

    await page.getByRole('button', { name: 'Scale notifications' }).click()
    await page.getByLabel('Replicas').fill('2')
    await page.getByText('2 replicas with 3 of 6 lanes each.').waitFor()
    await page.getByRole('button', { name: 'What is advised?' }).click()
    await page.getByRole('columnheader', { name: 'Because' }).waitFor()
    await page.getByRole('button', { name: 'Scale to 2' }).click()
    await page.getByText('npm run scale -- notifications=2').waitFor()
    await page.getByText(/notifications: 1 → 2 replicas/).waitFor({ timeout: 120_000 })
    await page.keyboard.press('Escape')
    await page.getByRole('rowheader', { name: 'notifications-2' }).waitFor()
    await opened.shoot('lanes-scaled-light')
    expect(await opened.violations()).toEqual([])
    expect(opened.errors).toEqual([])
  })
})
