import { mostReplicas } from '../../infra/stack/supervisor/scaling.ts'
import type { ReplicaCounts } from '../../infra/stack/supervisor/scaling.ts'
import { TallyError } from '../../infra/errors.ts'

/**
 * The wanted numbers, from `payment=4 inventory=2`.
 * @throws TallyError USAGE
 */
export function parseReplicaCounts(texts: readonly string[], consumers: readonly string[]): ReplicaCounts {
  const counts = new Map<string, number>()
  for (const text of texts) {
    const [, consumer = '', digits = ''] = /^([^=]+)=(-?[\d.]+)$/.exec(text) ?? []
    if (!consumer) throw usage(`"${text}" is not a number of replicas: write it like payment=4`)
    if (!consumers.includes(consumer)) throw usage(`No consumer "${consumer}": there are ${consumers.join(', ')}`)
    if (counts.has(consumer)) throw usage(`${consumer} is named twice`)
    const count = /^\d{1,9}$/.test(digits) ? Number(digits) : Number.NaN
    if (count === 0)
      throw usage(
        `${consumer} must keep one replica, or nothing processes its events: --remove ${consumer} removes it for good`,
      )
    if (!(count <= mostReplicas)) throw usage(`${consumer} can have 1 to ${mostReplicas} replicas, not ${digits}`)
    counts.set(consumer, count)
  }
  return Object.fromEntries(counts)
}

const usage = (sentence: string) => new TallyError('USAGE', sentence)
