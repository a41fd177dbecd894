import type { Random } from '../../../infra/testing/random.ts'
import type { Party, VirtualClock } from '../time/virtual-clock.ts'
import type { Broker } from './broker.ts'
import type { Group } from './group.ts'

/** What may go wrong between a client and the broker; probabilities per request. */
export interface BrokerFaults {
  down: boolean
  /** Nothing was written. */
  lostRequest: number
  /** Written, and the client hears nothing of it. */
  lostAnswer: number
  /** Given up by the client, written later: perhaps after what a newer connection sent. */
  delayedRequest: number
  /** Some partitions were written. */
  torn: number
  /** The client reads from the beginning again, as kafkajs does after "offset out of range". */
  reset: number
}

/** A process's way to the broker. */
export interface Wire {
  clock: VirtualClock
  random: Random
  broker: Broker
  group: Group
  faults: BrokerFaults
  /** At whose side of the wire answers arrive. */
  party: Party
  /** Where requests arrive. */
  server: Party
}

/** Carries out work at the broker and brings its result back; either way takes time. */
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
