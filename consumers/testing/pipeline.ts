import type { EventType } from '../../schemas/generated/events.ts'
import { keyOf, topicOf } from '../../schemas/topics.ts'
import type { CallIntent, ConsumerDefinition, Emitted, TimerIntent } from '../runtime/handler.ts'
import { emptyMemory, handle } from './in-memory.ts'
import type { Input, Memory } from './in-memory.ts'

interface PendingCall extends CallIntent {
  readonly id: string
  readonly key: string
}

interface PendingTimer extends TimerIntent {
  readonly key: string
}

interface Service {
  readonly definition: ConsumerDefinition<unknown, unknown>
  memory: Memory<unknown, unknown>
  /** Its in-flight events by topic and key: the order that Kafka keeps. */
  readonly inbound: Map<string, Emitted[]>
  readonly calls: Map<string, PendingCall>
  readonly timers: Set<PendingTimer>
}

/** A possible next step. */
export type Step = () => void

/** Services that communicate through topics, without servers. The caller chooses the order of steps. */
export function createPipeline(
  definitions: readonly ConsumerDefinition<unknown, unknown>[],
  callOutside: (key: string, kind: string, request: object) => object,
) {
  const published: Emitted[] = []
  const services = definitions.map(
    (definition): Service => ({
      definition,
      memory: emptyMemory,
      inbound: new Map(),
      calls: new Map(),
      timers: new Set(),
    }),
  )

  const deliver = (event: Emitted) => {
    for (const { inbound } of services) {
      const place = `${topicOf(event.type).name}/${keyOf(event.data)}`
      inbound.set(place, [...(inbound.get(place) ?? []), event])
    }
  }
  const publish = (event: Emitted) => {
    published.push(event)
    deliver(event)
  }
  const take = (service: Service, key: string, input: Input) => {
    const { memory, events, calls, timers, withdraw } = handle(service.definition, service.memory, input)
    service.memory = memory
    events.forEach(publish)
    for (const { kind, request } of calls) {
      const id = `${service.definition.group} ${key} ${kind} ${service.calls.size + published.length}`
      service.calls.set(id, { id, key, kind, request })
    }
    for (const timer of service.timers)
      if (timer.key === key && withdraw.includes(timer.kind)) service.timers.delete(timer)
    for (const timer of timers) service.timers.add({ key, ...timer })
  }
  const steps = (service: Service): Step[] => [
    ...[...service.inbound].flatMap(([place, [next, ...rest]]): Step[] => {
      if (!next) return []
      return [
        () => {
          service.inbound.set(place, rest)
          take(service, keyOf(next.data), next)
        },
      ]
    }),
    ...[...service.calls.values()].flatMap(({ id, key, kind, request }): Step[] => [
      () => void callOutside(id, kind, request), // The answer is lost: the call is repeated later with the same key
      () => {
        service.calls.delete(id)
        take(service, key, { key, kind, answer: callOutside(id, kind, request) })
      },
    ]),
  ]
  const timers = (service: Service): { key: string; fire: Step }[] =>
    [...service.timers].map((timer) => ({
      key: timer.key,
      fire() {
        service.timers.delete(timer)
        take(service, timer.key, { key: timer.key, kind: timer.kind })
      },
    }))
  return {
    publish,
    /** Repeats an event under another id: every service receives it a second time. */
    repeat: deliver,
    /** All published events without repeats. */
    published: published as readonly Emitted[],
    /** The possible next steps, except timers; empty once everything is processed and answered. */
    steps: () => services.flatMap(steps),
    /** Timers that are not due yet, each with its order. */
    timers: () => services.flatMap(timers),
    memoryOf: (group: string) => services.find(({ definition }) => definition.group === group)?.memory,
    typesOf: (orderId: string): EventType[] =>
      published.filter(({ data }) => keyOf(data) === orderId).map(({ type }) => type),
  }
}
