import { processorTimes } from '../../infra/processor-times.ts'
import type { Repeat } from './benchmark.ts'

export interface Watch {
  /** @param events number of events processed */
  stop(events: number): Repeat
}

/** Starts measuring, after the preparations. CPU time is that of this process. */
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

/** @returns a function that gives the CPU seconds of all cores since this call, other work on the machine included */
export function startMachineWatch(): () => number {
  const before = busySeconds()
  return () => busySeconds() - before
}

const busySeconds = (): number => processorTimes().busy / 1_000
