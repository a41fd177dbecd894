import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { findChromium, launchChromium, openPage } from '../../infra/testing/browser.ts'
import { serveBundle } from '../../infra/web/serve-bundle.ts'
import { listen } from '../orders-api/http/http-server.ts'
import type { HttpServer } from '../orders-api/http/http-server.ts'
import { shopSite } from '../orders-api/start-orders-api.ts'
import { guardedApp, tokenOf } from '../orders-api/testing/guarded-app.ts'

const chromium = findChromium()

;(chromium ? describe : describe.skip)('a shop whose API asks for tokens', () => {
  let server: HttpServer
  let browser: Browser
  const { app, written } = guardedApp({ shop: serveBundle(shopSite) })
  beforeAll(async () => {
    server = await listen(app, { port: 0 })
    browser = await launchChromium(chromium as string)
  })
  afterAll(async () => {
    await browser?.close()
    await server?.stop(1_000)
  })
  const bearer = async (sub: string) => (await tokenOf({ sub })).replace('Bearer ', '')

  test('asks who is there, and keeps the token in this tab only', async () => {
    await using opened = await openPage(browser, server.url)
    const { page } = opened
    await page.goto('/shop/')
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await opened.shoot('shop-sign-in-light')
    expect(await opened.violations()).toEqual([])
    await page.getByLabel('Token').fill(await bearer('c-1'))
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Tea' }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'Tea' }).waitFor()
    expect(JSON.stringify(await page.evaluate(() => Object.entries(localStorage)))).not.toContain('eyJ')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await page.getByLabel('Token').fill('eyJ.no.token')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    expect(opened.errors).toEqual([])
  })

  test('a link signs in; its token leaves the address; orders are those of its customer', async () => {
    await using opened = await openPage(browser, server.url)
    const { page } = opened
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    await page.goto(`/shop/#token=${await bearer('c-7')}`)
    await page.getByRole('button', { name: /^Add to basket.*Tea/ }).click()
    expect(page.url()).toBe(`${server.url}/shop/`)
    await page.getByRole('link', { name: /^Basket/ }).click()
    await page.getByRole('button', { name: 'To checkout' }).click()
    for (const label of ['Name', 'Street and number', 'Town', 'Country']) await page.getByLabel(label).fill('x')
    await page.getByRole('button', { name: 'Place order' }).click()
    await page.waitForURL(/\/shop\/orders\//)
    expect(written.map(({ order }) => order?.customerId)).toEqual(['c-7'])
    expect(asked.filter((url) => url.includes('eyJ'))).toEqual([])
  })
})
