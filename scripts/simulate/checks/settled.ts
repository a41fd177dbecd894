import { placesOf } from '../database/outbox-statements.ts'
import type { World } from '../world.ts'

/** Whether no work is left: no record to read or retry, no event to publish, no call and no timer. */
export const isSettled = (world: World): boolean => whatIsLeft(world) === ''

/** The remaining work, in words. */
export function whatIsLeft({ broker, partitions, witness, database: { tables } }: World): string {
  const left: string[] = []
  for (const topic of broker.topics) {
    for (let partition = 0; partition < partitions; partition++) {
      const end = broker.end(topic, partition)
      const spans = [...tables.ledger.committed.values()].filter(
        (row) => row.topic === topic && row.partition === partition,
      )
      // The last offsets may have no record
      const isRecordIn = (from: number, to: number) =>
        broker
          .records(topic, partition)
          .some(({ isControlRecord, offset }) => !isControlRecord && Number(offset) >= from && Number(offset) < to)
      const position = Math.max(0, ...spans.map((row) => row.next_offset))
      if (isRecordIn(position, end)) left.push(`${topic}/${partition} is at ${position} of ${end}`)
      const { next_offset: again = 0, again_until: until = null } = spans.sort((a, b) => a.epoch - b.epoch).at(-1) ?? {}
      if (until !== null && isRecordIn(again, until))
        left.push(`${topic}/${partition} is processed again and is at ${again} of ${until}`)
    }
  }
  // A published row that could not be deleted leaves with the next one, or is published again after a takeover
  for (const row of tables.outbox.committed.values())
    for (const [place] of placesOf(row)) if (!witness.published.has(place)) left.push(`outbox ${place}`)
  for (const table of [tables.calls, tables.timers, tables.parked]) {
    const [key] = table.committed.keys()
    if (key !== undefined) left.push(`${table.committed.size} in ${table.name}: ${key}`)
  }
  return left.join('; ')
}
