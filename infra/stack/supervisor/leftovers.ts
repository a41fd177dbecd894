import { end, isAlive } from './process-identity.ts'
import type { StackStatus } from './stack-record.ts'

/** The processes of a record that are still running. */
export const leftoversOf = (record: StackStatus) =>
  record.processes.flatMap(({ identity, ...process }) =>
    identity && isAlive(identity) ? [{ identity, ...process }] : [],
  )

/** Ends the processes that a killed supervisor left: services first, then servers in reverse order of their start. */
export async function endLeftovers(record: StackStatus, say: (text: string) => void): Promise<void> {
  const left = leftoversOf(record)
  if (left.length === 0) return
  say(`Stopping processes of a supervisor that was killed: ${left.map(({ title }) => title).join(', ')}`)
  const services = left.filter(({ kind }) => kind === 'service' || kind === 'step')
  const others = left.filter((process) => !services.includes(process)).toReversed()
  await Promise.all(services.map(({ identity, stopSignal, stopWithinMs }) => end(identity, stopSignal, stopWithinMs)))
  for (const { identity, stopSignal, stopWithinMs } of others) await end(identity, stopSignal, stopWithinMs)
}
