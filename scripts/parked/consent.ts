import type { Chosen } from '../../consumers/operations/parked/choose-parked.ts'
import { lastActs } from '../../consumers/operations/parked/last-acts.ts'
import { asCounted, countChosen, listRecords, totalOf } from '../../consumers/operations/parked/parked-records.ts'
import { say } from '../cli/command.ts'
import { confirmed } from '../cli/consent.ts'
import { count } from '../cli/figures.ts'
import { namesOf } from './ls.ts'
import { cut, printable } from './printable.ts'

const shown = 5

/**
 * Says on standard error what will be done to how many events, and asks for confirmation.
 * @param verb `Redrive`
 * @returns the events agreed to, without what was parked later; undefined if there are none, or the answer was no
 * @throws TallyError USAGE without a terminal to ask on
 */
export async function agreedTo(
  verb: string,
  chosen: readonly Chosen[],
  { yes }: { yes?: boolean },
): Promise<Chosen[] | undefined> {
  const counts = await countChosen(chosen)
  const total = totalOf(counts)
  if (total === 0) {
    say('No parked event matches.')
    for (const act of await lastActs(chosen)) say(`  ${printable(act)}`)
    return undefined
  }
  say(`${verb} ${count(total, 'parked event')}:`)
  for (const { group, reason, events, heads } of counts) {
    const behind = events - heads
    const waiting = behind > 0 ? `, ${count(behind)} of them behind others of their key` : ''
    say(`  ${group}: ${count(events)} ${reason}${waiting}`)
  }
  if (verb === 'Redrive' && counts.some(({ events, heads }) => events > heads))
    say('  A key is handled from its first event on: a redrive of a later event includes those before it')
  const records = await listRecords(chosen, { limit: shown + 1 })
  for (const { record, key, type, source, events } of records.slice(0, shown)) {
    const error = events.find((event) => event.error !== null)?.error
    const why = error ? `: ${cut(printable(error), 80)}` : ''
    const where = record === null ? '' : `${record} `
    say(
      `    ${where}(${namesOf(events).join(', ')}) ${type ?? `unknown ${source}`} of ${cut(printable(key), 60)}${why}`,
    )
  }
  if (records.length > shown) say('    … and more: npm run parked -- ls')
  if (!yes && !(await confirmed(`${verb}?`))) {
    say('Nothing was done.')
    return undefined
  }
  return asCounted(chosen, counts)
}
