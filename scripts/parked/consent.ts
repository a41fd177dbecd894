import { say } from '../cli/command.ts'
import { confirmed } from '../cli/consent.ts'
import { countChosen, listChosen, totalOf } from './ls.ts'
import type { Chosen } from '../../consumers/operations/parked/choose-parked.ts'
import { cut, printable } from './printable.ts'

export interface ConsentOptions {
  yes?: boolean
}

const shown = 5

/**
 * Says what will be done and to how many, on standard error, and asks.
 * @param verb `Redrive`
 * @returns what was agreed to: nothing parked later is touched; undefined if it is nothing, or the answer was no
 * @throws TallyError USAGE if there is nobody to ask
 */
export async function agreedTo(
  verb: string,
  chosen: readonly Chosen[],
  { yes }: ConsentOptions,
): Promise<Chosen[] | undefined> {
  const counts = await countChosen(chosen)
  const total = totalOf(counts)
  if (total === 0) {
    say('Nothing is parked that matches')
    return undefined
  }
  const plural = total === 1 ? 'event' : 'events'
  say(`${verb} ${total.toLocaleString('en')} parked ${plural}:`)
  for (const { group, reason, events, heads } of counts) {
    const behind = events - heads
    const waiting = behind > 0 ? `, ${behind.toLocaleString('en')} of them behind others of their key` : ''
    say(`  ${group}: ${events.toLocaleString('en')} ${reason}${waiting}`)
  }
  if (verb === 'Redrive' && counts.some(({ events, heads }) => events > heads))
    say('  A key is handled from its first event on: choosing one behind it asks for those before it, too')
  for (const { group, id, key, type, source, error } of await listChosen(chosen, { limit: shown })) {
    const why = error ? `: ${cut(printable(error), 80)}` : ''
    say(`    ${group}/${id} ${type ?? `unknown ${source}`} of ${cut(printable(key), 60)}${why}`)
  }
  if (total > shown) say(`    … and ${(total - shown).toLocaleString('en')} more`)
  if (!yes && !(await confirmed(`${verb}?`))) {
    say('Nothing was done')
    return undefined
  }
  return chosen.map(({ lot, selection }) => {
    const upTo = Math.max(0, ...counts.filter(({ group }) => group === lot.group).map(({ lastId }) => lastId))
    return { lot, selection: { ...selection, upTo } }
  })
}
