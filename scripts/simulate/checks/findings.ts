import type { World } from '../world.ts'
import { checkHistories } from './histories.ts'
import { checkLedger } from './ledger.ts'

/** Checks a settled world. @returns a sentence for each violation */
export const findings = (world: World): string[] => [
  ...checkLedger(world),
  ...checkHistories(world),
  ...checkPublication(world),
  ...checkCalls(world),
]

/** Each event of an outbox is on its topic, and the numbers of each lane have no gaps. The witness checks their order. */
function checkPublication({ witness: { decided, published }, database: { tables } }: World): string[] {
  const found: string[] = []
  for (const place of decided.keys()) if (!published.has(place)) found.push(`event ${place} was never published`)
  for (const { lane, next_seq } of tables.lanes.committed.values()) {
    for (let seq = 1; seq < next_seq; seq++) if (!decided.has(`${lane}/${seq}`)) found.push(`no event ${lane}/${seq}`)
  }
  const ids = [...decided.values()].map(({ eventId }) => eventId)
  if (new Set(ids).size < ids.length) found.push('two numbers have the same event id')
  return found
}

/** Each deed of the gateway took effect once, for the order that it was done for. */
function checkCalls({ gateway, database: { tables } }: World): string[] {
  const found: string[] = []
  const deeds = new Map([...gateway.journal.values()].map(({ number, orderId }) => [`${number}`, orderId]))
  for (const { key, history } of tables.histories.committed.values()) {
    for (const line of history) {
      const [what, number = ''] = line.split(' ')
      if (what !== 'answered') continue
      if (deeds.get(number) !== key)
        found.push(`${key}: deed ${number} of the gateway took effect twice, or for another order`)
      deeds.delete(number)
    }
  }
  for (const [number, orderId] of deeds) found.push(`deed ${number} of the gateway, for ${orderId}, took no effect`)
  return found
}
