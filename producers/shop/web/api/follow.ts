import type { OrderStatus, TimelineEntry } from '../../../orders-api/http/contract.ts'
import { eventBlocks } from '../model/event-blocks.ts'
import { ask, problemOf, send } from './ask.ts'
import type { Problem } from './ask.ts'

export interface Follower {
  onEntry(entry: TimelineEntry): void
  /** The order has ended. */
  onEnd(status: OrderStatus): void
  /** `undefined`: connected. A problem: it tries again, unless the API refused for good. */
  onConnection(problem: Problem | undefined): void
}

const retryMs = 2_000
/** The API sends a heartbeat every 15 s: a connection that is silent for longer is dead. */
const silentMs = 40_000

/** Follows an order over reconnections, until it has ended or the signal. */
export async function followOrder(orderId: string, follower: Follower, signal: AbortSignal): Promise<void> {
  let last: string | undefined
  let ended = false
  while (!signal.aborted && !ended) {
    try {
      await readStream(`/orders/${encodeURIComponent(orderId)}`, last, signal, {
        ...follower,
        onEntry: (entry) => {
          last = String(entry.seq)
          follower.onEntry(entry)
        },
        onEnd: (status) => {
          ended = true
          follower.onEnd(status)
        },
      })
      if (!ended) throw new Error('The connection was closed.')
    } catch (error) {
      if (signal.aborted) return
      const problem = problemOf(error)
      follower.onConnection(problem)
      if ([401, 403, 404].includes(problem.status)) return
      await delay(retryMs, signal)
    }
  }
}

async function readStream(path: string, last: string | undefined, signal: AbortSignal, follower: Follower) {
  const silent = new AbortController()
  const waitLonger = watchdog(() => silent.abort())
  try {
    const response = await send(`${path}/events`, {
      headers: last === undefined ? {} : { 'last-event-id': last },
      signal: AbortSignal.any([signal, silent.signal]),
    })
    follower.onConnection(undefined)
    if (response.status === 204) return follower.onEnd(await ask<OrderStatus>(path, { signal })) // Nothing more
    const take = eventBlocks()
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      waitLonger()
      for (const { event, data } of take(part.value))
        if (event === 'entry') follower.onEntry(JSON.parse(data) as TimelineEntry)
        else if (event === 'end') follower.onEnd(JSON.parse(data) as OrderStatus)
    }
  } finally {
    waitLonger(false)
  }
}

/** Calls back after a silence. @returns a function that begins the wait again, or with false ends it */
function watchdog(onSilence: () => void): (goOn?: boolean) => void {
  let timer = setTimeout(onSilence, silentMs)
  return (goOn = true) => {
    clearTimeout(timer)
    if (goOn) timer = setTimeout(onSilence, silentMs)
  }
}

const delay = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
  })
