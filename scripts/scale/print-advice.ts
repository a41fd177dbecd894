import { printTable } from '../cli/command.ts'
import type { Advice } from '../../consumers/operations/replicas/advice/advise.ts'
import type { Decided } from './run-auto.ts'

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

export const adviceJson = (advice: Advice) => ({
  consumer: advice.consumer,
  replicas: advice.replicas,
  replicasAdvised: advice.needed,
  lagSeconds: rounded(advice.lagSeconds),
  behind: advice.behind,
  arrivingPerSecond: rounded(advice.arrivingPerSecond),
  takenPerSecond: rounded(advice.takenPerSecond),
  because: advice.because,
})

/** `12.3 s payment 1 → 2: 4 wanted by 2 looks in a row (lag 7.1 s, …)` */
export function decisionText({ atMs, advice, decision }: Decided): string {
  const { consumer, replicas, needed, because } = advice
  const head = `${(atMs / 1_000).toFixed(1)} s  ${consumer} ${replicas}`
  return decision.action === 'change'
    ? `${head} → ${decision.to}: ${decision.why}. ${because.join('. ')}`
    : `${head}: ${decision.why}. Needed are ${needed}: ${because.join('. ')}`
}

export const decisionJson = ({ atMs, advice, decision }: Decided) => ({
  atSeconds: rounded(atMs / 1_000),
  ...adviceJson(advice),
  action: decision.action,
  to: decision.action === 'change' ? decision.to : advice.replicas,
  why: decision.why,
})

const rounded = (value: number): number => Math.round(value * 10) / 10
