import { setTimeout as delay } from 'node:timers/promises'
import { describeError, isTallyError } from '../../infra/errors.ts'
import { explainFailure } from '../../infra/explain-failure.ts'
import type { Advice } from '../../consumers/operations/replicas/advice/advise.ts'
import { changed, decide, notChanged } from './autoscaler.ts'
import type { Decision, Memory, Policy } from './autoscaler.ts'
import { changeReplicas } from '../../consumers/operations/replicas/change-replicas.ts'
import { capacitiesOf, observe } from '../../consumers/operations/replicas/advice/observe.ts'
import type { ObserveOptions, Observed } from '../../consumers/operations/replicas/advice/observe.ts'
import { requireStack } from '../../consumers/operations/replicas/running-stack.ts'

/** A look at one consumer, and what was decided. */
export interface Decided {
  /** Since the beginning, milliseconds. */
  readonly atMs: number
  readonly advice: Advice
  readonly decision: Decision
}

export interface AutoOptions extends Omit<ObserveOptions, 'stack'> {
  policy: Policy
  everyMs: number
  /** No look begins after this time. @default none: until the signal */
  forMs?: number
  /** For a replica to start, and for the lanes to settle. */
  withinMs: number
  /** Told of every look at every consumer, before the decision is carried out. */
  onDecision(decided: Decided): void
  /** A look or a change failed; it goes on. */
  onTrouble(sentence: string): void
}

/**
 * Gives consumers as many replicas as they need, look after look. When the signal comes, or the time is over, it ends and the
 * replicas stay as they are.
 * @throws TallyError USAGE when the stack is gone
 */
export async function runAuto(options: AutoOptions): Promise<void> {
  const { config, everyMs, forMs = Number.POSITIVE_INFINITY, signal, onTrouble } = options
  const startedAt = performance.now()
  const memories = new Map<string, Memory>()
  let capacities: ReadonlyMap<string, number> = new Map()
  for (let next = startedAt; next - startedAt < forMs; next = Math.max(next + everyMs, performance.now())) {
    try {
      await delay(Math.max(0, next - performance.now()), undefined, { signal })
      const stack = await requireStack(config.dataDir)
      const observed = await observe({ ...options, stack, capacities })
      capacities = capacitiesOf(observed)
      await act(observed, memories, startedAt, options)
    } catch (error) {
      if (signal.aborted) return
      if (isTallyError(error, 'USAGE')) throw error
      onTrouble(`No look: ${explainFailure(error, () => config).sentence}`)
    }
  }
}

async function act(
  observed: readonly Observed[],
  memories: Map<string, Memory>,
  startedAt: number,
  { config, pool, policy, withinMs, signal, onDecision, onTrouble }: AutoOptions,
): Promise<void> {
  const wanted = new Map<string, number>()
  for (const { advice, byHand } of observed) {
    const { consumer, replicas, needed } = advice
    const at = performance.now()
    const [memory, decision] = decide(memories.get(consumer), { at, replicas, needed }, policy)
    memories.set(consumer, memory)
    onDecision({ atMs: at - startedAt, advice, decision })
    if (decision.action === 'change') wanted.set(consumer, Math.max(1, decision.to - byHand))
  }
  if (wanted.size === 0) return
  const after = (next: (memory: Memory, consumer: string) => Memory) => {
    for (const consumer of wanted.keys()) {
      const memory = memories.get(consumer)
      if (memory) memories.set(consumer, next(memory, consumer))
    }
  }
  try {
    const changes = await changeReplicas({ config, pool, wanted: Object.fromEntries(wanted), withinMs, signal })
    after((memory) => changed(memory, performance.now()))
    const faults = changes.flatMap(({ consumer, books }) => books.after.faults.map((fault) => `${consumer}: ${fault}`))
    faults.forEach(onTrouble)
  } catch (error) {
    if (signal.aborted) throw error
    onTrouble(`Not changed: ${describeError(error)}`)
    const before = new Map(observed.map(({ advice }) => [advice.consumer, advice.replicas]))
    after((memory, consumer) => notChanged(memory, before.get(consumer) ?? 0, performance.now()))
  }
}
