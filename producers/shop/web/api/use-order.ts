import { useEffect, useState } from 'react'
import type { OrderStatus, TimelineEntry } from '../../../orders-api/http/contract.ts'
import { ask, problemOf } from './ask.ts'
import type { Problem } from './ask.ts'
import { followOrder } from './follow.ts'
import { oneAtATime } from './one-at-a-time.ts'

/** - back  it was lost and is there again */
export type Connection = 'connecting' | 'live' | 'lost' | 'back'

export interface OrderView {
  readonly status: OrderStatus | undefined
  readonly timeline: readonly TimelineEntry[]
  /** Why the order cannot be shown at all. */
  readonly problem: Problem | undefined
  readonly connection: Connection
}

const atFirst: OrderView = { status: undefined, timeline: [], problem: undefined, connection: 'connecting' }

/** An order as it is at every moment. */
export function useOrder(orderId: string): OrderView {
  const [view, setView] = useState(atFirst)
  useEffect(() => {
    const stopped = new AbortController()
    const { signal } = stopped
    const change = (next: (view: OrderView) => Partial<OrderView>) =>
      signal.aborted || setView((now) => ({ ...now, ...next(now) }))
    // Entries say what happened; the status that follows from it is the API's to say
    const readStatus = oneAtATime(() =>
      ask<OrderStatus>(`/orders/${encodeURIComponent(orderId)}`, { signal }).then(
        // An answer may come after the end that it does not know yet
        (status) => change(({ status: known }) => (known?.endedAt ? {} : { status, problem: undefined })),
        (error: unknown) => change(() => ({ problem: problemOf(error) })),
      ),
    )
    readStatus()
    void followOrder(
      orderId,
      {
        onEntry(entry) {
          change(({ timeline }) => ({ timeline: [...timeline.filter(({ seq }) => seq < entry.seq), entry] }))
          readStatus()
        },
        onEnd: (status) => change(() => ({ status, problem: undefined })),
        onConnection: (problem) =>
          change(({ connection, status }) =>
            problem
              ? { connection: 'lost', problem }
              : { connection: connection === 'lost' && status ? 'back' : 'live', problem: undefined },
          ),
      },
      signal,
    )
    return () => stopped.abort()
  }, [orderId])
  return view
}
