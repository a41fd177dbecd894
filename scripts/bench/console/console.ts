import { setTimeout as delay } from 'node:timers/promises'
import { findChromium, launchChromium, openPage } from '../../../infra/testing/browser.ts'
import { freePort } from '../../../producers/orders-api/testing/orders-bench.ts'
import { deployPipeline } from '../api/deploy-pipeline.ts'
import type { Benchmark, Ground, Repeat } from '../benchmark.ts'
import { startService } from '../start-service.ts'
import type { Service } from '../start-service.ts'
import { fillConsole } from './fill-console.ts'
import { interactions, timed } from './interactions.ts'
import type { Reaction } from './interactions.ts'

/** How long a page stands open while the console's processor time is taken. */
const openMs = 30_000

export const consolePages: Benchmark = {
  name: 'console',
  what: 'What an operator does in the console, in headless Chromium, and what open pages cost its server.',
  unit: 'acts/s',
  events: { usual: 100_000, quick: 30_000 },
  contenders: [
    {
      name: 'tally',
      setup:
        'ended orders, and a tenth as many parked events; reaction: from an input to the next picture; shown: to the one with the answer; polling: of one core, while the page is open',
      missing: () => (findChromium() ? undefined : 'Chromium: `apt-get install chromium`'),
      measure,
    },
  ],
  bars: [
    { figure: 'first load kB', atMost: 150 },
    { figure: 'slowest reaction ms', atMost: 100 },
    { figure: 'polling orders %', atMost: 1 },
    { figure: 'polling parked %', atMost: 1 },
  ],
}

async function measure(ground: Ground): Promise<Repeat> {
  await deployPipeline(ground.sandbox)
  await fillConsole(ground.sandbox, ground.events)
  const port = await freePort()
  await using server = await startService(ground, 'scripts/console/main.ts', {
    env: { TALLY_CONSOLE_PORT: String(port) },
  })
  const browser = await launchChromium(findChromium() as string)
  try {
    await using opened = await openPage(browser, `http://127.0.0.1:${port}`)
    const { page } = opened
    await page.goto('/') // The pages are built now
    await page.locator('tbody tr').nth(49).waitFor()
    let bytes = 0
    page.on('response', (response) => {
      if (!response.url().includes('/api/')) bytes += Number(response.headers()['content-length'] ?? Number.NaN)
    })
    await page.reload()
    await page.locator('tbody tr').nth(49).waitFor()
    const [cpu, startedAt] = [server.cpuSeconds(), performance.now()]
    const reactions = new Map<string, Reaction>()
    for (const each of interactions) reactions.set(each.name, await timed(page, each))
    const [seconds, used] = [(performance.now() - startedAt) / 1_000, server.cpuSeconds() - cpu]
    return {
      perSecond: reactions.size / seconds,
      cpuPerEvent: used / reactions.size,
      figures: {
        'first load kB': bytes / 1_000,
        'slowest reaction ms': Math.max(...[...reactions.values()].map(({ paintedMs }) => paintedMs)),
        ...Object.fromEntries([...reactions].map(([name, { shownMs }]) => [`${name} shown ms`, shownMs])),
        'polling orders %': await pollingShare(server, ground.signal),
        'polling parked %': await page
          .goto('/parked')
          .then(() => page.locator('tbody tr').first().waitFor())
          .then(() => pollingShare(server, ground.signal)),
      },
    }
  } finally {
    await browser.close()
  }
}

/** @returns processor time of the server while pages are open, in hundredths of one core */
async function pollingShare(server: Service, signal: AbortSignal): Promise<number> {
  const [before, startedAt] = [server.cpuSeconds(), performance.now()]
  await delay(openMs, undefined, { signal })
  return ((server.cpuSeconds() - before) / ((performance.now() - startedAt) / 1_000)) * 100
}
