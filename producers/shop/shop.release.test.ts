import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import { findChromium, launchChromium, openPage } from '../../infra/testing/browser.ts'
import type { Look } from '../../infra/testing/browser.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { createTestStack, succeeded } from '../../scripts/testing/test-stack.ts'
import type { TestStack } from '../../scripts/testing/test-stack.ts'
import { demoCatalogue } from '../sample-data/demo-catalogue.ts'

const chromium = findChromium()
if (!chromium) process.stderr.write('No Chromium on PATH: the pages of the shop are not tested\n')

const looks: readonly Look[] = [{ theme: 'light' }, { theme: 'dark' }, { phone: true, locale: 'de-DE' }]

;(chromium ? describe : describe.skip)('the shop', () => {
  let stack: TestStack
  let browser: Browser
  let url: string
  const open = (look?: Look) => openPage(browser, url, look)

  beforeAll(async () => {
    stack = await createTestStack(29_200, { TALLY_PARTITIONS: '3', TALLY_LOG_LEVEL: 'error' })
    url = `http://127.0.0.1:${stack.config.ports.api}`
    await stack.start()
    for (const { sku, name, unitPriceMinor, currency } of demoCatalogue())
      await put(sku, name, unitPriceMinor, currency)
    await put('T-9999', 'Cork Moon', 1_000, 'EUR') // Never delivered
    succeeded(await stack.run('produce', 'StockReplenished', '--count', '200'))
    browser = await launchChromium(chromium as string)
  })
  afterAll(async () => {
    await browser?.close()
    await stack?.close()
  })

  const put = async (sku: string, name: string, unitPriceMinor: number, currency: string) => {
    const body = JSON.stringify({ name, unitPriceMinor: String(unitPriceMinor), currency })
    const headers = { 'content-type': 'application/json' }
    expect((await fetch(`${url}/products/${sku}`, { method: 'PUT', headers, body })).status).toBe(200)
  }
  const ordersPlaced = async (): Promise<number> => {
    const { namespace, pool } = stack.sandbox
    return (await pool.query(`select 1 from "${namespace}orders".placed_order`)).rowCount ?? 0
  }
  const processId = async (name: string): Promise<number> => {
    const { processes } = JSON.parse(succeeded(await stack.run('stack', 'status', '--json'))) as {
      processes: { name: string; identity?: { pid: number } }[]
    }
    return processes.find((each) => each.name === name)?.identity?.pid ?? Number.NaN
  }

  /** Looks at a state in both themes and on a German phone: axe finds nothing, nothing is wider than the screen. */
  const inspect = async (name: string, path: string, ready: (page: Page) => Promise<unknown>, state?: StorageState) => {
    for (const look of looks) {
      await using opened = await open(look)
      const { page } = opened
      await page.goto('/shop/')
      await page.evaluate(
        (kept) => Object.entries(kept).forEach(([key, value]) => localStorage.setItem(key, value)),
        state ?? {},
      )
      await page.goto(path)
      await ready(page)
      await opened.shoot(`shop-${name}-${look.phone ? 'phone' : look.theme}`)
      expect(await opened.violations()).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')).toBeLessThanOrEqual(0)
      expect(opened.errors).toEqual([])
    }
  }
  type StorageState = Record<string, string>
  const stateOf = (page: Page): Promise<StorageState> =>
    page.evaluate(() => Object.fromEntries(Object.entries(localStorage)) as StorageState)

  const fillBasket = async (page: Page, ...names: string[]) => {
    await page.goto('/shop/')
    for (const name of names) await page.getByRole('button', { name: new RegExp(`^Add to basket.*${name}`) }).click()
    await page.getByRole('link', { name: /^Basket/ }).click()
    await page.getByRole('button', { name: 'To checkout' }).click()
  }
  const fillAddress = async (page: Page) => {
    const values = {
      Name: 'Ada Roe',
      'Street and number': 'Quay 1',
      'Postal code': 'T12',
      Town: 'Cork',
      Country: 'Ireland',
    }
    for (const [label, value] of Object.entries(values)) await page.getByLabel(label).fill(value)
  }

  test('articles: live stock, search, sold out, nothing found; nothing comes from elsewhere', async () => {
    await using opened = await open()
    const { page } = opened
    const hosts = new Set<string>()
    let bytes = 0
    page.on('request', (request) => hosts.add(new URL(request.url()).host))
    page.on('response', (response) => {
      if (response.url().includes('/shop/')) bytes += Number(response.headers()['content-length'] ?? Number.NaN)
    })
    await page.goto('/')
    await page.getByText('100,000 in stock').waitFor()
    expect(page.url()).toBe(`${url}/shop/`)
    expect([...hosts]).toEqual([new URL(url).host])
    expect(bytes).toBeGreaterThan(50_000)
    expect(bytes).toBeLessThan(150_000)
    await page.getByLabel('Find an article').fill('moon cork')
    expect(await page.getByRole('button', { name: /Cork Moon/ }).isDisabled()).toBe(true)
    await page.getByText('Sold out').waitFor()
    succeeded(await stack.run('produce', 'StockReplenished', '--key', 'T-9999'))
    await page.getByText('Sold out').waitFor({ state: 'detached' })
    await page.getByLabel('Find an article').fill('zzz')
    await page.getByText('No article has this name').waitFor()
    await inspect('articles', '/shop/', (each) => each.locator('.stock').first().waitFor())
  })

  test('a declined card, then an accepted one: placed once, followed to the label', async () => {
    await using opened = await open()
    const { page } = opened
    await fillBasket(page, 'Oak Lamp', 'Steel Lamp')
    await inspect('basket', '/shop/basket', (each) => each.locator('.sum').waitFor(), await stateOf(page))
    await page.getByRole('button', { name: 'Place order' }).click()
    await page.getByText('Please fill this in.').first().waitFor()
    expect(await page.evaluate('document.activeElement.id')).toBe('recipient')
    await fillAddress(page)
    await page.getByLabel(/is declined/).check()
    await inspect('checkout', '/shop/checkout', (each) => each.locator('.summary').waitFor(), await stateOf(page))
    const before = await ordersPlaced()
    await page.getByRole('button', { name: 'Place order' }).dblclick()
    await page.getByText('Your card was declined').waitFor()
    expect(await ordersPlaced()).toBe(before + 1)
    const declined = new URL(page.url()).pathname
    await inspect('declined', declined, (each) => each.locator('.notice.bad').waitFor(), await stateOf(page))

    await page.getByRole('button', { name: 'Put the articles into the basket again' }).click()
    await page.getByRole('button', { name: 'To checkout' }).click()
    expect(await page.getByLabel('Name').inputValue()).toBe('Ada Roe')
    await page.getByRole('button', { name: 'Place order' }).click()
    await page.getByText('The card was charged').waitFor()
    await page.getByText('On its way').waitFor()
    await page.getByRole('img', { name: /Label with the tracking number/ }).waitFor()
    await waitUntil('the label is shown', () =>
      page.evaluate<boolean>(`document.querySelector('img.label').naturalWidth === 420`),
    )
    const completed = new URL(page.url()).pathname
    await inspect('completed', completed, (each) => each.locator('img.label').waitFor(), await stateOf(page))
    await page.getByRole('link', { name: 'Your orders' }).click()
    await page.getByText('Complete').waitFor()
    await inspect('orders', '/shop/orders', (each) => each.locator('tbody .pill.ok').waitFor(), await stateOf(page))
    expect(opened.errors).toEqual([])
  })

  test('an answer that is lost: the page says so, and after a reload the order is there once', async () => {
    await using opened = await open()
    const { page } = opened
    await fillBasket(page, 'Oak Lamp')
    await fillAddress(page)
    const before = await ordersPlaced()
    await page.route('**/orders', async (route) => {
      await route.fetch() // It arrives, its answer does not
      await route.abort('connectionreset')
    })
    await page.getByRole('button', { name: 'Place order' }).click()
    await page.getByText('We do not know yet whether your order arrived').waitFor()
    await opened.shoot('shop-unanswered-light')
    expect(await opened.violations()).toEqual([])
    await page.getByRole('link', { name: 'Articles' }).click()
    await page.getByText('An order is waiting for an answer').waitFor()
    await page.unroute('**/orders')
    await page.goto('/shop/checkout')
    await page.getByText('On its way').waitFor()
    expect(await ordersPlaced()).toBe(before + 1)
    expect(await page.getByRole('link', { name: 'Basket', exact: true }).count()).toBe(1) // It is empty
  })

  test('who leaves the checkout while an order is on its way stays where they went', async () => {
    await using opened = await open()
    const { page } = opened
    await fillBasket(page, 'Oak Lamp')
    await fillAddress(page)
    const left = Promise.withResolvers<void>()
    await page.route('**/orders', (route) => left.promise.then(() => route.continue()))
    await page.getByRole('button', { name: 'Place order' }).click()
    await page.getByRole('link', { name: 'Articles' }).click()
    const waiting = page.getByText('An order is waiting for an answer')
    await waiting.waitFor()
    left.resolve()
    await waiting.waitFor({ state: 'detached' })
    expect(page.url()).toBe(`${url}/shop/`)
  })

  test('cancelled in time; the connection is lost and comes back; the API refuses', async () => {
    await using opened = await open()
    const { page } = opened
    succeeded(await stack.run('lanes', 'pause', 'payment', '--why', 'a test')) // So the order stays on its way
    await fillBasket(page, 'Oak Lamp')
    await fillAddress(page)
    await put('T-0001', 'Oak Lamp', 500, 'USD') // The page still shows euros
    await page.getByRole('button', { name: 'Place order' }).click()
    await page.getByText('The order was not placed').waitFor()
    await page.getByText('is sold in USD').waitFor()
    expect(await opened.violations()).toEqual([])
    await opened.shoot('shop-refused-light')
    await put('T-0001', 'Oak Lamp', 500, 'EUR')
    await page.getByRole('button', { name: 'Place order' }).click()
    await page.getByText('The articles were set aside').waitFor()
    const path = new URL(page.url()).pathname
    await inspect('underway', path, (each) => each.locator('.history li').nth(1).waitFor(), await stateOf(page))

    process.kill(await processId('orders-api'), 'SIGKILL')
    await page.getByRole('alert').or(page.locator('.notice.warn')).first().waitFor()
    await opened.shoot('shop-lost-light')
    await page.getByText('Connected again').waitFor()

    await page.getByRole('button', { name: 'Cancel order …' }).click()
    await page.getByLabel('It takes too long').check()
    expect(await opened.violations()).toEqual([])
    await opened.shoot('shop-cancel-light')
    await page.getByRole('button', { name: 'Cancel order', exact: true }).click()
    await page.getByText('The order was cancelled').waitFor()
    await page.getByText('Nothing will be delivered').waitFor()
    await inspect('cancelled', path, (each) => each.locator('.notice.info').waitFor(), await stateOf(page))
    succeeded(await stack.run('lanes', 'resume', 'payment'))
  })

  test('German by the browser, or by choice; the choice stays; empty and broken pages say what to do', async () => {
    await using german = await open({ locale: 'de-AT' })
    await german.page.goto('/shop/basket')
    await german.page.getByText('Ihr Warenkorb ist leer').waitFor()
    await german.page.getByRole('link', { name: 'Zu den Artikeln' }).click()
    await german.page
      .getByText(/^€\s\d+,\d\d$/)
      .first()
      .waitFor()
    await german.page.getByRole('button', { name: 'English' }).click()
    await german.page.reload()
    await german.page.getByRole('heading', { name: 'Articles' }).waitFor()
    expect(await german.page.locator('html').getAttribute('lang')).toBe('en')
    await inspect('empty', '/shop/basket', (each) => each.locator('.empty').waitFor())
    await inspect('nowhere', '/shop/nowhere', (each) => each.locator('.empty').waitFor())
    await inspect('unknown', '/shop/orders/nobody', (each) => each.locator('.notice.bad').waitFor())
    await using cut = await open()
    await cut.page.route('**/products?*', (route) => route.abort('connectionrefused'))
    await cut.page.goto('/shop/')
    await cut.page.getByText('The shop does not answer.').waitFor()
    await cut.shoot('shop-broken-light')
    expect(await cut.violations()).toEqual([])
    await cut.page.unroute('**/products?*')
    await cut.page.getByText('in stock').first().waitFor()
  })
})
