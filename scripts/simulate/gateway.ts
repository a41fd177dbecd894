import type { Random } from '../../infra/testing/random.ts'
import type { Party, VirtualClock } from './time/virtual-clock.ts'

export interface GatewayFaults {
  down: boolean
  lostRequest: number
  lostAnswer: number
  /** It never answers: the caller must give up. */
  silent: number
}

/** An external service that acts once per idempotency key, even if its answers are lost. */
export class Gateway {
  /** Its deeds by idempotency key: a number, and the order it was done for. */
  readonly journal = new Map<string, { number: number; orderId: string }>()
  readonly party: Party
  private readonly calls: (() => void)[] = []
  private readonly clock: VirtualClock
  private readonly random: Random
  private readonly faults: GatewayFaults

  constructor(clock: VirtualClock, random: Random, party: Party, faults: GatewayFaults) {
    this.clock = clock
    this.random = random
    this.party = party
    this.faults = faults
  }

  /** Called by a process. The answer arrives only if that process still runs. */
  ask(orderId: string, idempotencyKey: string, signal: AbortSignal): Promise<{ number: number }> {
    const { clock, random, faults } = this
    const caller = clock.party
    const latency = () => random.between(1, 200)
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason)
      signal.addEventListener('abort', abort, { once: true })
      this.calls.push(() => signal.removeEventListener('abort', abort))
      if (random.chance(faults.silent)) return
      const lose = () => clock.after(latency(), () => reject(new Error('socket hang up')), caller)
      if (faults.down || random.chance(faults.lostRequest)) return void lose()
      const arrive = () => {
        const deed = this.journal.get(idempotencyKey) ?? { number: this.journal.size + 1, orderId }
        this.journal.set(idempotencyKey, deed)
        if (random.chance(faults.lostAnswer)) lose()
        else clock.after(latency(), () => resolve({ number: deed.number }), caller)
      }
      clock.after(latency(), arrive, this.party)
    })
  }

  /** Node keeps a signal, and with it the whole world, alive while it has listeners. */
  close(): void {
    for (const forget of this.calls) forget()
  }
}
