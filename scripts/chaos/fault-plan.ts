import type { QueueServer } from '../../infra/queue-settings.ts'
import type { Fault } from '../../infra/testing/faults/fault.ts'
import { seededRandom } from '../../producers/sample-data/seeded.ts'
import type { Random } from '../../producers/sample-data/seeded.ts'

/** The server that a proxied network leads to. */
export const networks = ['kafka', 'postgres', 'registry', 'gateway', 'carrier'] as const
/** Each broker has its own network; queue servers have one if they run. */
export type Network = (typeof networks)[number] | `kafka-${number}` | QueueServer

/** One fault and its duration. */
export type Mishap =
  | { readonly kind: 'kill'; readonly process: string }
  | { readonly kind: 'freeze'; readonly process: string; readonly forMs: number }
  | {
      readonly kind: 'network'
      readonly network: Network
      readonly fault: Fault
      readonly share: number
      readonly forMs: number
    }
  | { readonly kind: 'terminate'; readonly forMs: number } // Database sessions, during statements and commits
  | BrokerLoss
  | { readonly kind: 'steal'; readonly lanes: number } // A second owner claims lanes of the first
  | { readonly kind: 'full-disk'; readonly forMs: number }

/** `forMs` is how long a frozen broker stays so. */
export interface BrokerLoss {
  readonly kind: 'broker'
  readonly how: BrokerFault
  readonly role: BrokerRole
  readonly forMs: number
}

export type MishapKind = Exclude<Mishap['kind'], 'broker'>

/** `roll`: shut down cleanly and restarted. */
export type BrokerFault = 'kill' | 'freeze' | 'roll'
/** The broker that has this role at that moment is hit. */
export type BrokerRole = 'coordinator' | 'controller' | 'leader'

export interface Step {
  /** Pause before the fault, milliseconds. */
  readonly afterMs: number
  readonly mishap: Mishap
  /** Whether the next fault may follow before the pipeline has recovered from this one. */
  readonly impatient: boolean
}

export interface PlanOptions {
  seed: number
  kinds: readonly MishapKind[]
  /** Names of processes by kind. */
  processes: Readonly<Record<'services' | 'simulators' | 'servers', readonly string[]>>
  /** Queues that run, and the processes that serve them: these are hit as often as all services. @default none */
  queues?: { readonly networks: readonly QueueServer[]; readonly processes: readonly string[] }
  sessionTimeoutMs: number
  /** Kafka brokers. With several, every other fault hits one of them, the coordinator first. @default 1 */
  brokers?: number
}

const brokerFaults: readonly { how: BrokerFault; role: BrokerRole }[] = (
  ['coordinator', 'controller', 'leader'] as const
).flatMap((role) => (['kill', 'freeze', 'roll'] as const).map((how) => ({ how, role })))

/** Relative frequency of each kind. */
const weights: Readonly<Record<MishapKind, number>> = {
  kill: 5,
  network: 5,
  freeze: 3,
  terminate: 2,
  steal: 1,
  'full-disk': 1,
}

/** An endless sequence of faults that depends only on its options. */
export function* faultPlan(options: PlanOptions): Generator<Step> {
  const { seed, kinds, sessionTimeoutMs, brokers = 1 } = options
  const weighted = kinds.flatMap((kind) => Array.from({ length: weights[kind] }, () => kind))
  for (let index = 0; ; index++) {
    const random = seededRandom('chaos', seed, index)
    const broker = index % 2 === 0 ? brokerFaults[(index / 2) % brokerFaults.length] : undefined
    if (brokers > 1 && broker)
      yield { afterMs: 2_000, mishap: { kind: 'broker', ...broker, forMs: sessionTimeoutMs + 6_000 }, impatient: false }
    yield {
      afterMs: random.pick([0, 500, 2_000, 4_000]),
      mishap: mishapOf(random.pick(weighted), random, options),
      impatient: random.next() < 0.25,
    }
  }
}

function mishapOf(kind: MishapKind, random: Random, { processes, queues, sessionTimeoutMs }: PlanOptions): Mishap {
  const { services, simulators, servers } = processes
  const ofQueues = queues ? [queues.processes, queues.processes, queues.processes] : []
  // Servers take long to restart: rarely, so that other processes are hit too
  const anyProcess = () => random.pick(random.pick([services, services, services, simulators, servers, ...ofQueues]))
  switch (kind) {
    case 'kill':
      return { kind, process: anyProcess() }
    case 'freeze':
      return { kind, process: anyProcess(), forMs: Math.round(sessionTimeoutMs * (1.1 + random.next())) }
    case 'network': {
      const network = random.pick([...networks, ...(queues?.networks ?? [])])
      return {
        kind,
        network,
        fault: networkFault(network, random),
        share: random.pick([0.3, 1]),
        forMs: random.int(1_000, 8_000),
      }
    }
    case 'terminate':
      return { kind, forMs: random.int(500, 3_000) }
    case 'steal':
      return { kind, lanes: random.int(1, 6) }
    case 'full-disk':
      return { kind, forMs: random.int(2_000, 5_000) }
  }
}

function networkFault(network: Network, random: Random): Fault {
  const anywhere: Fault[] = [
    { kind: 'cut' },
    { kind: 'reset' },
    { kind: 'stall' },
    { kind: 'drop-answers' },
    { kind: 'slow', latencyMs: random.int(50, 400), bytesPerSecond: random.pick([undefined, 50_000]) },
  ]
  const http: Fault[] = [{ kind: 'http-error', status: random.pick([500, 503, 429]) }]
  return random.pick(['kafka', 'postgres', 'rabbitmq'].includes(network) ? anywhere : [...anywhere, ...http])
}

/** In words: `freeze payment for 4.2 s`. */
export function describeMishap(mishap: Mishap): string {
  const seconds = 'forMs' in mishap ? ` for ${(mishap.forMs / 1_000).toFixed(1)} s` : ''
  switch (mishap.kind) {
    case 'kill':
      return `kill -9 ${mishap.process}`
    case 'freeze':
      return `freeze ${mishap.process}${seconds}`
    case 'network':
      return `network to ${mishap.network}: ${mishap.fault.kind}${mishap.share < 1 ? ` on ${mishap.share * 100} % of connections` : ''}${seconds}`
    case 'broker':
      return `${mishap.how} the broker that is ${describeRole[mishap.role]}${mishap.how === 'freeze' ? seconds : ''}`
    case 'terminate':
      return `terminate database sessions${seconds}`
    case 'steal':
      return `a second owner claims ${mishap.lanes} lanes`
    case 'full-disk':
      return `fill the database's disk${seconds}`
  }
}

const describeRole: Readonly<Record<BrokerRole, string>> = {
  coordinator: 'coordinator of a group',
  controller: 'the active controller',
  leader: 'leader of a partition',
}
