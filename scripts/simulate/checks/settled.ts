import type { World } from '../world.ts'

/** Everything has taken effect: nothing to read, publish, call, wait for, or try again. */
export const isSettled = (world: World): boolean => whatIsLeft(world) === ''

/** What is not settled yet, in words. */
export function whatIsLeft({ broker, partitions, witness, database: { tables } }: World): string {
  const left: string[] = []
  for (const topic of broker.topics) {
    for (let partition = 0; partition < partitions; partition++) {
      const end = broker.end(topic, partition)
      const spans = [...tables.ledger.committed.values()].filter(
        (row) => row.topic === topic && row.partition === partition,
      )
      // Behind the last record there may be offsets without one
      const isRecordIn = (from: number, to: number) =>
        broker
          .records(topic, partition)
          .some(({ isControlRecord, offset }) => !isControlRecord && Number(offset) >= from && Number(offset) < to)
      const position = Math.max(0, ...spans.map((row) => row.next_offset))
      if (isRecordIn(position, end)) left.push(`${topic}/${partition} stands at ${position} of ${end}`)
      const { next_offset: again = 0, again_until: until = null } = spans.sort((a, b) => a.epoch - b.epoch).at(-1) ?? {}
      if (until !== null && isRecordIn(again, until))
        left.push(`${topic}/${partition} is at ${again} again, of ${until}`)
    }
  }
  // One that is published and could not be deleted leaves with the next one, or is published again after a takeover
  for (const place of tables.outbox.committed.keys()) if (!witness.published.has(place)) left.push(`outbox ${place}`)
  for (const table of [tables.calls, tables.timers, tables.parked]) {
    const [key] = table.committed.keys()
    if (key !== undefined) left.push(`${table.committed.size} in ${table.name}: ${key}`)
  }
  return left.join('; ')
}
