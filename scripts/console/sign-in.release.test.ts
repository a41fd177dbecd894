import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { loadConfig } from '../../infra/config.ts'
import { silentLogger } from '../../infra/logger.ts'
import { findChromium, launchChromium, openPage } from '../../infra/testing/browser.ts'
import type { Look, TestPage } from '../../infra/testing/browser.ts'
import { tokenOf } from '../../producers/orders-api/testing/guarded-app.ts'
import { startConsole } from './server/start-console.ts'
import { securedSettings } from './testing/secured-settings.ts'

const chromium = findChromium()
const signInHeading = { name: 'Sign in to the console' }
const bearer = async (claims: Parameters<typeof tokenOf>[0] = {}) =>
  (await tokenOf({ sub: 'anna', scope: 'operations', ...claims })).replace('Bearer ', '')

/** Without a pipeline: its pages say that every server is away. */
;(chromium ? describe : describe.skip)('a console that asks for tokens', () => {
  const opened = new AsyncDisposableStack()
  let browser: Browser
  let serving: Awaited<ReturnType<typeof startConsole>>
  const serve = async (port: number) => {
    serving = await startConsole({ config: loadConfig(securedSettings(folder)), log: silentLogger, port })
  }
  const folder = mkdtempSync(join(tmpdir(), 'tally-sign-in-'))
  beforeAll(async () => {
    opened.defer(() => rmSync(folder, { recursive: true }))
    await serve(0)
    opened.defer(() => serving.stop())
    browser = await launchChromium(chromium as string)
    opened.defer(() => browser.close())
  })
  afterAll(() => opened.disposeAsync())

  const open = (look: Look = {}) => openPage(browser, serving.url, look)
  async function signIn({ page }: TestPage, token: string): Promise<void> {
    await page.getByRole('textbox', { name: 'Token' }).fill(token)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  }

  test('asks for one, says what is wrong with it, and whom it lets in', async () => {
    for (const look of [{ theme: 'light' }, { theme: 'dark' }, { phone: true }] as const) {
      await using shown = await open(look)
      const name = 'phone' in look ? 'phone' : look.theme
      await shown.page.goto('/proof')
      await shown.page.getByRole('heading', signInHeading).waitFor()
      await shown.shoot(`sign-in-${name}`)
      expect(await shown.violations()).toEqual([])
      await signIn(shown, await bearer({ exp: '-1h' }))
      await shown.page.getByText('The token has expired.').waitFor()
      await signIn(shown, await bearer({ scope: 'orders:any' }))
      await shown.page.getByText('This needs a token with the scope operations.').waitFor()
      await shown.shoot(`sign-in-refused-${name}`)
      expect(await shown.violations()).toEqual([])
      await signIn(shown, await bearer())
      await shown.page.getByText('Signed in as anna').waitFor()
      await shown.page.getByRole('button', { name: 'Verify now' }).waitFor()
      await shown.shoot(`signed-in-${name}`)
      expect(await shown.page.getByLabel('Acting as').count()).toBe(0)
      expect(await shown.page.evaluate('document.cookie')).toBe('')
      expect(await shown.violations()).toEqual([])
      expect(shown.errors).toEqual([])
    }
  })

  test('tabs share a session; signing out in one empties all', async () => {
    await using first = await open()
    await first.page.goto('/proof')
    await signIn(first, await bearer())
    await first.page.getByRole('button', { name: 'Verify now' }).waitFor()
    const second = await first.page.context().newPage()
    await second.goto('/lanes')
    await second.getByText('Signed in as anna').waitFor()
    await second.getByRole('button', { name: 'Sign out' }).click()
    await second.getByRole('heading', signInHeading).waitFor()
    await first.page.getByRole('heading', signInHeading).waitFor()
    expect(await first.page.getByRole('button', { name: 'Verify now' }).count()).toBe(0)
    await first.page.reload()
    await first.page.getByRole('heading', signInHeading).waitFor()
    await signIn(first, await bearer({ sub: 'bob' }))
    await second.getByText('Signed in as bob').waitFor()
    expect(first.errors).toEqual([])
  })

  test('a session survives a restart of the server', async () => {
    await using shown = await open()
    await shown.page.goto('/proof')
    await signIn(shown, await bearer())
    await shown.page.getByText('Signed in as anna').waitFor()
    const port = Number(new URL(serving.url).port)
    await serving.stop()
    await shown.page.getByText('The console does not answer').waitFor()
    await serve(port)
    await shown.page.getByText('The console was restarted').waitFor()
    await shown.page.getByText('Signed in as anna').waitFor()
  })

  test('a session that ends says so, keeps what is shown and typed, and is taken up again', async () => {
    await using shown = await open()
    const { page } = shown
    const typed = page.getByRole('searchbox')
    await page.goto('/proof')
    await signIn(shown, await bearer({ exp: '10s' }))
    await page.getByRole('button', { name: 'Verify now' }).waitFor()
    await typed.fill('o-1')
    await page.getByText('Your session has ended').waitFor()
    await page.getByText('The session of anna has ended').waitFor()
    await page.getByRole('button', { name: 'Verify now' }).click()
    await page.getByText('Sign in with a token that has the scope operations.').nth(1).waitFor()
    await shown.shoot('session-ended-light')
    expect(await shown.violations()).toEqual([])
    await page.getByRole('button', { name: 'Sign in …' }).last().click()
    await page.getByRole('dialog', { name: 'Sign in again' }).waitFor()
    await shown.shoot('session-ended-sign-in-light')
    expect(await shown.violations()).toEqual([])
    await signIn(shown, await bearer())
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.getByText('Your session has ended').waitFor({ state: 'detached' })
    expect(await typed.inputValue()).toBe('o-1')
    await page.getByText('Live', { exact: true }).waitFor()
    expect(shown.errors).toEqual([])
  })
})
