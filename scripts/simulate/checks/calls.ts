import type { World } from '../world.ts'

/** The gateway did each thing once, and each answer that took effect is the one it gave. */
export function checkCalls({ gateway, database: { tables } }: World): string[] {
  const found: string[] = []
  const deeds = new Map([...gateway.journal.values()].map(({ number, orderId }) => [`${number}`, orderId]))
  for (const { key, history } of tables.histories.committed.values()) {
    for (const line of history) {
      const [what, number = ''] = line.split(' ')
      if (what !== 'answered') continue
      if (deeds.get(number) !== key)
        found.push(`${key}: deed ${number} of the gateway took effect twice, or for another`)
      deeds.delete(number)
    }
  }
  for (const [number, orderId] of deeds) found.push(`deed ${number} of the gateway, for ${orderId}, took no effect`)
  return found
}
