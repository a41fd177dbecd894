import type { BrokerFaults } from './broker/wire.ts'
import type { DatabaseFaults } from './database/client.ts'
import type { GatewayFaults } from './gateway.ts'
import type { Random } from '../../infra/testing/random.ts'

export interface Faults {
  database: DatabaseFaults
  broker: BrokerFaults
  gateway: GatewayFaults
  registry: { down: boolean }
}

/** The rate of faults differs between seeds: some defects show only if little else fails. */
export function drawFaults(random: Random): Faults {
  const rarely = () => random.pick([0, 0, 0.001, 0.005, 0.02])
  const often = () => random.pick([0, 0, 0.02, 0.1, 0.3])
  return {
    database: { down: false, lostRequest: rarely(), lostAnswer: rarely(), cancelled: rarely(), slow: rarely() },
    broker: {
      down: false,
      lostRequest: often(),
      lostAnswer: often(),
      delayedRequest: often(),
      torn: often(),
      reset: random.pick([0, 0, 0.01, 0.05]),
    },
    gateway: { down: false, lostRequest: often(), lostAnswer: often(), silent: random.pick([0, 0, 0.1]) },
    registry: { down: false },
  }
}

/** Ends all faults. */
export function endFaults(faults: Faults): void {
  for (const kind of Object.values(faults) as Record<string, number | boolean>[]) {
    for (const [name, value] of Object.entries(kind)) kind[name] = typeof value === 'boolean' ? false : 0
  }
}
