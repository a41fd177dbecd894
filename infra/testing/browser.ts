import { accessSync, constants, mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import { loadConfig } from '../config.ts'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** Path of a Chromium of this machine; undefined if there is none. */
export const findChromium = (): string | undefined =>
  loadConfig()
    .java.searchPath.flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })

/** Where screenshots are kept, for people to look at. */
const shots = resolve('.tally', 'screenshots')
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export interface Look {
  readonly theme?: 'light' | 'dark'
  readonly phone?: boolean
  /** What the browser asks for. @default en-GB */
  readonly locale?: string
}

/** A page of a browser that fails the test at errors of its own. */
export interface TestPage extends AsyncDisposable {
  readonly page: Page
  /** Errors of the page so far: exceptions, and what the content security policy refused. */
  readonly errors: readonly string[]
  /** What axe finds against WCAG 2.2 AA, a line each. */
  violations(): Promise<string[]>
  shoot(name: string): Promise<void>
}

export const launchChromium = (executablePath: string): Promise<Browser> =>
  chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] })

/** Opens a page of a site in a context of its own. */
export async function openPage(
  browser: Browser,
  url: string,
  { theme = 'light', phone = false, locale = 'en-GB' }: Look = {},
): Promise<TestPage> {
  const context = await browser.newContext({
    baseURL: url,
    locale,
    colorScheme: theme,
    reducedMotion: 'reduce',
    viewport: phone ? { width: 390, height: 844 } : { width: 1_360, height: 850 },
  })
  context.setDefaultTimeout(45_000) // Two cores, four test workers
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) errors.push(message.text())
  })
  return {
    page,
    errors,
    async violations() {
      await page.evaluate(axe)
      const found = (await page.evaluate(
        `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`,
      )) as { violations: { id: string; help: string; nodes: { html: string; failureSummary: string }[] }[] }
      return found.violations.map(
        ({ id, help, nodes }) =>
          `${id}: ${help}: ${nodes
            .slice(0, 3)
            .map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary.slice(0, 200)}`)
            .join(' | ')}`,
      )
    },
    async shoot(name) {
      mkdirSync(shots, { recursive: true })
      await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true })
    },
    [Symbol.asyncDispose]: () => context.close(),
  }
}
