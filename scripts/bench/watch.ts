import { cpus } from 'node:os'
import type { Repeat } from './benchmark.ts'

export interface Watch {
  /** @param events of which the work is done now */
  stop(events: number): Repeat
}

/** Starts the clocks: after the preparations, before the work. CPU time is this process's. */
export function startWatch(): Watch {
  const [cpu, machineSeconds, startedAt] = [process.cpuUsage(), startMachineWatch(), performance.now()]
  return {
    stop(events) {
      const seconds = (performance.now() - startedAt) / 1_000
      const { user, system } = process.cpuUsage(cpu)
      return {
        perSecond: events / seconds,
        cpuPerEvent: (user + system) / 1e6 / events,
        machineCpuPerEvent: machineSeconds() / events,
      }
    },
  }
}

/** CPU seconds of all cores since this call. Other work on the machine counts, too: measure on a quiet one. */
export function startMachineWatch(): () => number {
  const before = busySeconds()
  return () => busySeconds() - before
}

const busySeconds = (): number =>
  cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + (user + nice + sys + irq) / 1_000, 0)
