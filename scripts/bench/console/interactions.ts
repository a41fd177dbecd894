import type { Page } from 'playwright-core'

/** What an operator does, and how the page shows that it is done. */
export interface Interaction {
  readonly name: string
  /** JavaScript of the page that does it. */
  readonly act: string
  /** JavaScript of the page, true once the outcome stands there. */
  readonly shown: string
}

const rows = `document.querySelectorAll('main tbody tr').length`
const click = (selector: string): string => `document.querySelector(${JSON.stringify(selector)}).click()`
const press = (label: string): string =>
  `[...document.querySelectorAll('button')].find(({ textContent }) => textContent.startsWith(${JSON.stringify(label)})).click()`
const page = (next: string): string => `new URLSearchParams(location.search).has('${next}')`
const setField = (selector: string, value: string, event: string): string => `
  const field = document.querySelector(${JSON.stringify(selector)})
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value').set.call(field, ${JSON.stringify(value)})
  field.dispatchEvent(new Event('${event}', { bubbles: true }))`

/** In this order, from the orders on. */
export const interactions: readonly Interaction[] = [
  { name: 'older orders', act: press('Older'), shown: `${page('after')} && ${rows} === 50` },
  {
    name: 'status',
    act: setField('main select', 'rejected', 'change'),
    shown: `${rows} === 50 && [...document.querySelectorAll('main .pill')].every(({ textContent }) => textContent.endsWith('rejected'))`,
  },
  {
    name: 'search',
    act: `${setField('input[type=search]', 'o-77', 'input')}; field.form.requestSubmit()`,
    shown: `${rows} === 1 && document.querySelector('main tbody th').textContent === 'o-77'`,
  },
  { name: 'parked', act: click('nav a[href="/parked"]'), shown: `location.pathname === '/parked' && ${rows} > 5` },
  { name: 'cause', act: click('main tbody a'), shown: `location.search.includes('cause') && ${rows} === 50` },
  { name: 'choose', act: click('main tbody input'), shown: `document.body.textContent.includes('1 chosen event')` },
  { name: 'dialog', act: press('Drop'), shown: `document.querySelector('dialog[open]') !== null` },
  { name: 'close', act: click('dialog[open] header button'), shown: `document.querySelector('dialog') === null` },
  { name: 'older events', act: press('Older'), shown: `${page('upTo')} && ${rows} > 0` },
  { name: 'orders', act: click('nav a[href="/orders"]'), shown: `location.pathname === '/orders' && ${rows} === 50` },
]

/** Times of one interaction, milliseconds. */
export interface Reaction {
  /** From the event to the next picture of the page: it reacts, at least with "Reading …". */
  readonly paintedMs: number
  /** From the event to the picture with the outcome, the server's answer included. */
  readonly shownMs: number
}

/** Does it in the page, which measures with its own clock. */
export const timed = (opened: Page, { name, act, shown }: Interaction): Promise<Reaction> =>
  opened.evaluate(`new Promise((resolve, reject) => {
    const picture = (then) => requestAnimationFrame(() => setTimeout(then))
    const since = (mark) => performance.measure(${JSON.stringify(name)}, { start: mark.startTime }).duration
    const before = performance.mark('before')
    ;(() => { ${act} })()
    let paintedMs
    const look = () => {
      paintedMs ??= since(before)
      if (${shown}) resolve({ paintedMs, shownMs: since(before) })
      else if (since(before) > 30_000) reject(new Error(${JSON.stringify(`${name}: nothing is shown`)}))
      else picture(look)
    }
    picture(look)
  })`)
