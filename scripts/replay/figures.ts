import type { Figures } from '../../consumers/operations/replay/mode.ts'
import { count, duration } from '../cli/figures.ts'
import type { Plan } from '../../consumers/operations/replay/plan.ts'

/** What a replay has done so far, in a sentence: `5,210 events redelivered, nothing changed: 5,210 duplicates` */
export function figuresSentence({ mode, toTopic }: Pick<Plan, 'mode' | 'toTopic'>, figures: Figures): string {
  const of = (name: string) => figures[name] ?? 0
  if (mode === 'copy') return `${count(of('copied'), 'event')} copied to ${toTopic}`
  if (mode === 'redeliver') {
    const { taken, duplicates, ignored, parked } = {
      taken: of('taken'),
      duplicates: of('duplicates'),
      ignored: of('ignored'),
      parked: of('parked'),
    }
    const others = [
      ...(ignored > 0 ? [`${ignored.toLocaleString('en')} ignored`] : []),
      ...(parked > 0 ? [`${parked.toLocaleString('en')} PARKED`] : []),
    ]
    const effect = taken + parked === 0 ? ', nothing changed' : ''
    const parts = [
      count(duplicates, 'duplicate'),
      ...others,
      ...(effect === '' ? [`${taken.toLocaleString('en')} took effect`] : []),
    ]
    return `${count(taken + duplicates + ignored + parked, 'event')} redelivered${effect}: ${parts.join(', ')}`
  }
  if (mode === 'rebuild') {
    const { folded = 0, swapped = 0, undone = 0, lockedMs, ...others } = figures
    const tables = undone
      ? 'the former tables are back'
      : swapped
        ? `the new tables are in place, its lanes waited ${duration(lockedMs ?? 0)} for that`
        : 'nothing is swapped'
    return `${[count(folded, 'event') + ' folded', ...listed(others)].join(', ')}; ${tables}`
  }
  return listed(figures).join(', ') || 'nothing was done'
}

const listed = (figures: Figures): string[] =>
  Object.entries(figures).flatMap(([name, n]) =>
    n > 0 || name === 'handled' ? `${n.toLocaleString('en')} ${worded(name)}` : [],
  )

/** `statesWritten` is `states written`. */
const worded = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
