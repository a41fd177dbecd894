import { laneOf } from '../../../schemas/partition.ts'
import type { World } from '../world.ts'

/** Each event on the topics took effect once and in the order of its topic, and nothing else did. */
export function checkHistories(world: World): string[] {
  const { broker, codec, partitions, database } = world
  const found: string[] = []
  const expected = new Map<string, { placed: string[]; reserved: string[]; later: string[] }>()
  const seen = new Set<string>()
  for (const topic of broker.topics) {
    for (let partition = 0; partition < partitions; partition++) {
      const skips = [...database.tables.skipped.committed.values()].filter(
        (row) => row.topic === topic && row.partition === partition,
      )
      const isSkipped = (offset: number) => skips.some(({ from, to }) => offset >= from && offset < to)
      for (const { value, headers, key, offset, isControlRecord } of broker.records(topic, partition)) {
        const id = String(headers['ce_id'])
        const schema = codec.schemaIdOf(value)
        if (isControlRecord || schema === undefined || isSkipped(Number(offset))) continue
        const { type, data } = codec.decode(value)
        const name = String(key)
        if (laneOf(name, partitions) !== partition || seen.has(id)) continue
        seen.add(id)
        const of = expected.get(name) ?? { placed: [], reserved: [], later: [] }
        expected.set(name, of)
        if (type === 'StockReserved') of.reserved.push(`reserved ${id}`)
        if (type !== 'OrderPlaced') continue
        const kind = 'customerId' in data ? String(data.customerId) : ''
        of.placed.push(`placed ${kind} ${id}`)
        if (kind === 'calls') of.later.push(`answered ${id}`)
        if (kind === 'waits') of.later.push(`reminded ${id}`)
      }
    }
  }
  let total = 0
  for (const { key, history } of database.tables.histories.committed.values()) {
    const { placed, reserved, later } = expected.get(key) ?? { placed: [], reserved: [], later: [] }
    expected.delete(key)
    const actual = (what: string) => history.filter((line) => line.startsWith(what))
    const others = history
      .filter((line) => /^(answered|reminded) /.test(line))
      .map((line) => line.replace(/ \d+ /, ' '))
    total += actual('placed').length
    compare(`${key}: orders`, actual('placed'), placed)
    compare(`${key}: reservations`, actual('reserved'), reserved)
    compare(`${key}: answers and timers`, others.sort(), later.sort())
  }
  for (const [key, { placed }] of expected) compare(`${key}: orders`, [], placed)
  const shared = database.tables.totals.committed.get('everything')?.total ?? 0
  if (shared !== total) found.push(`the shared row counts ${shared} orders, not ${total}`)
  return found

  function compare(what: string, actual: string[], wanted: string[]): void {
    if (actual.length === wanted.length && actual.every((line, index) => line === wanted[index])) return
    const at = wanted.findIndex((line, index) => line !== actual[index])
    const first = at === -1 ? wanted.length : at
    found.push(
      `${what} took effect ${actual.length} times, not ${wanted.length}; the first difference is "${actual[first] ?? 'nothing'}" instead of "${wanted[first] ?? 'nothing'}"`,
    )
  }
}
