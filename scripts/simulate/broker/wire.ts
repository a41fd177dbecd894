import type { Random } from '../../../infra/testing/random.ts'
import type { Party, VirtualClock } from '../time/virtual-clock.ts'
import type { Broker } from './broker.ts'
import type { Group } from './group.ts'

/** Faults between a client and the broker, as probabilities per request. */
export interface BrokerFaults {
  down: boolean
  /** Nothing was written. */
  lostRequest: number
  /** Written, but the client gets an error. */
  lostAnswer: number
  /** Abandoned by the client and written later, perhaps after a request of a newer connection. */
  delayedRequest: number
  /** Some partitions were written. */
  torn: number
  /** The client restarts from the first offset, as kafkajs does after OFFSET_OUT_OF_RANGE. */
  reset: number
}

/** The connection of a process to the broker. */
export interface Wire {
  clock: VirtualClock
  random: Random
  broker: Broker
  group: Group
  faults: BrokerFaults
  /** The process that receives the answers. */
  party: Party
  /** The broker, which receives the requests. */
  server: Party
}

/** Runs `work` at the broker and returns its result; both directions take time. */
export function request<T>({ clock, random, faults, party, server }: Wire, work: () => T | Promise<T>): Promise<T> {
  const latency = () => random.between(0.2, 3)
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => clock.after(latency(), () => reject(error), party)
    if (faults.down) return void fail(new Error('connect ECONNREFUSED'))
    const carryOut = async () => {
      try {
        const result = await work()
        clock.after(latency(), () => resolve(result), party)
      } catch (error) {
        fail(error)
      }
    }
    clock.after(latency(), () => void carryOut(), server)
  })
}
