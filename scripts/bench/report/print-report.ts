import { printTable } from '../../cli/command.ts'
import type { Report, Spread, Verdict } from './report.ts'

/** Rounds to three significant digits: the figures are no more exact. */
export const rounded = (value: number): string =>
  value.toLocaleString('en', { maximumSignificantDigits: 3, useGrouping: true })

/** With more figures, each contender gets its own table. */
const mostColumns = 10

const micros = (seconds: Spread | undefined): string =>
  seconds && Number.isFinite(seconds.median) ? rounded(seconds.median * 1e6) : '–'

export function printReport({ what, unit, results, verdicts, ...taken }: Report): void {
  const all = [...new Set(results.flatMap((result) => Object.keys(result.figures)))]
  const figures = all.length > mostColumns ? [] : all
  process.stdout.write(`\n${taken.benchmark}: ${what}\n`)
  printTable(
    ['', unit, 'lowest', 'highest', 'repeats', 'own CPU µs', 'machine µs', 'ours is', ...figures],
    results.map((result) => [
      result.contender,
      rounded(result.perSecond.median),
      rounded(result.perSecond.lowest),
      rounded(result.perSecond.highest),
      String(result.perSecond.values.length),
      micros(result.cpuPerEvent),
      micros(result.machineCpuPerEvent),
      `${rounded(result.ratio)} ×`,
      ...figures.map((name) => (result.figures[name] ? rounded(result.figures[name].median) : '–')),
    ]),
  )
  if (all.length > mostColumns)
    printTable(
      ['', ...results.map(({ contender }) => contender)],
      all.map((name) => [name, ...results.map(({ figures: of }) => (of[name] ? rounded(of[name].median) : '–'))]),
    )
  for (const { contender, setup, events } of results)
    process.stdout.write(`  ${contender}: ${setup}; ${events.toLocaleString('en')} a repeat\n`)
  for (const verdict of verdicts) process.stdout.write(`  ${sentenceOf(verdict, unit)}\n`)
  const { cpu, cores, memoryGb, takenAt, commit, servers } = taken
  process.stdout.write(
    `  ${takenAt.slice(0, 16).replace('T', ' ')} UTC, ${commit}, ${cores} cores of ${cpu}, ${memoryGb} GB; ${servers}\n`,
  )
}

/** `met: 13.1 × kafkajs, the bar is at least 12` */
export function sentenceOf(
  { met, reached, against, figure, atLeast, atMost, contender }: Verdict,
  unit: string,
): string {
  const of = against === undefined ? (figure ?? unit) : `× ${against}${figure === undefined ? '' : ` in ${figure}`}`
  const bar = [
    ...(atLeast === undefined ? [] : [`at least ${rounded(atLeast)}`]),
    ...(atMost === undefined ? [] : [`at most ${rounded(atMost)}`]),
  ]
  return `${met ? 'met' : 'NOT MET'}: ${contender} ${rounded(reached)} ${of}, the bar is ${bar.join(' and ')}`
}
