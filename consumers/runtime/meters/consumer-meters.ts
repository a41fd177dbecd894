import type { Meter, Observed } from '../../../infra/monitor/meters.ts'
import type { Batch } from 'kafkajs'
import type { Pace } from '../../../infra/linger/pace.ts'
import type { Tracer } from '../../../infra/monitor/tracer.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { observeOutbox, PublishWatch } from '../../../producers/outbox/publish-watch.ts'
import type { Relay } from '../../../producers/outbox/relay.ts'
import type { RecordLane } from '../group/fetched-batch.ts'
import type { FetchProgress } from '../group/membership-options.ts'
import type { Caller } from '../lane/caller.ts'
import type { Lane } from '../lane/lane.ts'
import { BatchWatch } from './batch-watch.ts'
import { CallWatch, observeCalls } from '../lane/call-watch.ts'
import { LaneLag } from './lane-lag.ts'
import { OrderSpans } from './order-spans.ts'
import { ParkedCounter } from './parked-count.ts'

type Fetched<L> = { process(lane: L, batch: Batch, progress: FetchProgress): Promise<'gap' | undefined> }

/** What is read whenever metrics are collected. */
export interface Metered {
  readonly lanes: ReadonlyMap<number, Lane>
  readonly topics: readonly string[]
  readonly partitions: number
  readonly pool: Pool
  readonly relay: Relay
  readonly caller: Caller
  readonly paces: Readonly<Record<'transactions' | 'publishing', Pace>>
}

/** The metrics of one replica. The runtime tells it what happens; everything else is read when somebody asks. */
export class ConsumerMeters {
  readonly batches: BatchWatch
  readonly calls: CallWatch
  readonly publishing: PublishWatch
  readonly lag: LaneLag
  private readonly meter: Meter
  private fencedLanes = 0
  private readonly stops: (() => void)[] = []

  /** @param tracing where to export spans, and the group that they are of; @default none are exported */
  constructor(meter: Meter, namespace: string, tracing?: { tracer: Tracer; group: string }) {
    const spans = tracing && new OrderSpans(tracing.tracer, tracing.group)
    this.meter = meter
    this.lag = new LaneLag(namespace)
    this.batches = new BatchWatch(meter, spans)
    this.calls = new CallWatch(meter, spans && ((call) => spans.call(call)))
    this.publishing = new PublishWatch(meter, tracing?.tracer)
  }

  fenced(): void {
    this.fencedLanes++
  }

  /** The same processing of fetched batches, watched. */
  watching<L extends RecordLane>(fetched: Fetched<L>): Fetched<L> {
    return {
      process: (lane, batch, progress) => {
        this.lag.fetched(batch, lane.position(this.lag.topicOf(batch)))
        return fetched.process(lane, batch, progress)
      },
    }
  }

  /** What to tell of the ends of the topics whenever they were read. */
  seeing(position: (topic: string, lane: number) => number | undefined) {
    return (ends: ReadonlyMap<string, { readonly end: number }>): void => this.lag.looked(ends, position)
  }

  /** Begins to read the state of the replica. */
  read(metered: Metered): void {
    const { meter } = this
    const { relay, caller } = metered
    this.stops.push(
      this.readLanes(metered),
      readGroup(meter, metered, () => this.fencedLanes),
      observeOutbox(meter, () => relay.waitingEvents()),
      observeCalls(meter, { standing: () => caller.standing(), waiting: () => caller.waiting }),
    )
  }

  /** A replica that starts again in its process has other meters. */
  stop(): void {
    for (const stop of this.stops.splice(0)) stop()
  }

  private readLanes({ lanes, topics }: Metered): () => void {
    const metrics: Observed = {
      tally_lane_lag_events: ['Events that a lane has not processed yet', 'lane'],
      tally_lane_lag_seconds: ['How long the oldest of them has waited, at most', 'lane'],
      tally_lanes: ['Lanes of this replica by state', 'state'],
    }
    return this.meter.observe(metrics, (report) => {
      const states = new Map<string, number>()
      for (const [lane, owned] of lanes) {
        states.set(owned.standing, (states.get(owned.standing) ?? 0) + 1)
        const positions = topics.flatMap((topic) => {
          const position = owned.position(topic)
          return position === undefined ? [] : [[topic, position] as const]
        })
        const lag = this.lag.of(lane, positions)
        if (!lag) continue
        report('tally_lane_lag_events', lag.events, { lane })
        report('tally_lane_lag_seconds', lag.ms / 1_000, { lane })
      }
      for (const [state, number] of states) report('tally_lanes', number, { state })
    })
  }
}

function readGroup(meter: Meter, { pool, paces, partitions }: Metered, fenced: () => number): () => void {
  const parked = new ParkedCounter(pool)
  const metrics: Observed = {
    tally_group_lanes: ['Lanes of the group: as many as its topics have partitions'],
    tally_lanes_fenced_total: ['Lanes that turned out to have another owner'],
    tally_parked_events: ['Parked events of the group, by what they wait for: a retry or an operator', 'waits_for'],
    tally_linger_seconds: [
      'Time between the beginnings of two cycles, at least; 0 while the machine has time',
      'cycle',
    ],
    tally_database_connections: ['Connections of the pool, by state; requests that wait for one', 'state'],
  }
  return meter.observe(metrics, (report) => {
    report('tally_group_lanes', partitions)
    report('tally_lanes_fenced_total', fenced())
    const count = parked.latest()
    if (count) {
      report('tally_parked_events', count.retrying, { waits_for: 'retry' })
      report('tally_parked_events', count.stuck, { waits_for: 'operator' })
    }
    for (const [cycle, pace] of Object.entries(paces))
      report('tally_linger_seconds', pace.state.floorMs / 1_000, { cycle })
    reportConnections(pool, (state, number) => report('tally_database_connections', number, { state }))
  })
}

function reportConnections(pool: Pool, report: (state: string, number: number) => void): void {
  report('busy', pool.totalCount - pool.idleCount)
  report('idle', pool.idleCount)
  report('waited_for', pool.waitingCount)
}
