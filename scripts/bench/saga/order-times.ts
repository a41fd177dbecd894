import { createHistogram } from 'node:perf_hooks'
import { assertCount } from '../fill-orders.ts'

/** When each order was accepted and when its last event arrived, epoch milliseconds with fractions. */
export class OrderTimes {
  private readonly placed = new Map<string, number>()
  private readonly ended = new Map<string, number>()
  private doubles = 0

  readonly accept = (orderId: string): void => void this.placed.set(orderId, now())

  readonly end = (orderId: string, at: number = now()): void => {
    if (this.ended.has(orderId)) this.doubles++
    else this.ended.set(orderId, at)
  }

  get ends(): number {
    return this.ended.size
  }

  /** @throws TallyError INVARIANT unless each accepted order ended once */
  summarize(orders: number): { perSecond: number; p50: number; p99: number; behindSeconds: number } {
    assertCount('orders accepted', this.placed.size, orders)
    assertCount('orders ended', this.ended.size, orders)
    assertCount('orders ended twice', this.doubles, 0)
    const micros = createHistogram()
    const [first, lastPlaced, lastEnded] = [
      Math.min(...this.placed.values()),
      Math.max(...this.placed.values()),
      Math.max(...this.ended.values()),
    ]
    for (const [orderId, at] of this.placed) {
      const ended = this.ended.get(orderId)
      assertCount(`ends of order ${orderId}`, ended === undefined ? 0 : 1, 1)
      micros.record(Math.max(1, Math.round(((ended ?? at) - at) * 1_000))) // The event may arrive before the answer
    }
    return {
      perSecond: (orders / (lastEnded - first)) * 1_000,
      p50: micros.percentile(50) / 1_000,
      p99: micros.percentile(99) / 1_000,
      behindSeconds: (lastEnded - lastPlaced) / 1_000,
    }
  }
}

const now = (): number => performance.timeOrigin + performance.now()
