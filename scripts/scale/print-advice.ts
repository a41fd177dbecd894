import { printTable } from '../cli/command.ts'
import type { Advice } from '../../consumers/operations/replicas/advice/advise.ts'

/** One line per consumer. */
export function printAdvice(advices: readonly Advice[]): void {
  printTable(
    ['consumer', 'replicas', 'needed', 'lag', 'behind', 'arriving/s', 'taken/s', 'why'],
    advices.map(({ consumer, replicas, needed, lagSeconds, behind, arrivingPerSecond, takenPerSecond, because }) => [
      ...[consumer, replicas, needed, `${lagSeconds.toFixed(1)} s`, behind ?? '?'],
      ...[Math.round(arrivingPerSecond), Math.round(takenPerSecond), because.join('\n')],
    ]),
  )
}
