import { duration } from '../cli/figures.ts'
import type { Report } from '../cli/report.ts'
import type { Advice } from '../../consumers/operations/replicas/advice/advise.ts'

/** One line per consumer, and the command that follows the advice. */
export function adviceReport(advices: readonly Advice[]): Report {
  const wrong = advices.filter(({ replicas, needed }) => replicas !== needed)
  return {
    verdict:
      wrong.length === 0
        ? 'Every consumer has the replicas it needs.'
        : `Another number of replicas is needed: ${wrong.map(({ consumer }) => consumer).join(', ')}.`,
    parts: [
      {
        head: ['consumer', 'replicas', 'needed', 'lag', 'behind', 'in/s', 'done/s', 'why'],
        rows: advices.map(
          ({ consumer, replicas, needed, lagSeconds, behind, arrivingPerSecond, takenPerSecond, because }) => [
            ...[consumer, replicas, needed, duration(lagSeconds * 1_000), behind ?? '?'],
            ...[Math.round(arrivingPerSecond), Math.round(takenPerSecond), because.join('. ')],
          ],
        ),
      },
    ],
    next:
      wrong.length === 0
        ? undefined
        : `npm run scale -- ${wrong.map(({ consumer, needed }) => `${consumer}=${needed}`).join(' ')}`,
  }
}
