import { residentBytes } from '../../infra/stack/supervisor/process-identity.ts'
import type { ProcessStatus, StackStatus } from '../../infra/stack/supervisor/stack-record.ts'
import { printTable, say } from '../cli/command.ts'
import { age } from '../../consumers/operations/age.ts'
import { healthJson, printHealth } from '../lanes/print-health.ts'
import { sayAddresses } from './addresses.ts'
import type { Probed } from './probe-stack.ts'

/** The stack as tables: what runs, since when, how often it was restarted, whether it answers; how the consumers are. */
export function printStatus(status: StackStatus, { silent, health }: Probed): void {
  say(`${status.state}, supervised by process ${status.supervisor.pid}`)
  sayAddresses(status)
  const head = ['process', 'pid', 'state', 'for', 'restarts', 'last exit', 'port', 'memory']
  const rows = status.processes.map((process) => rowOf(process, silent.has(process.name)))
  printTable(head, rows)
  for (const why of silent.values()) say(why)
  process.stdout.write('\n')
  if (typeof health === 'string') say(`How the consumers are is not known. ${health}`)
  else printHealth(health)
}

export const statusJson = (status: StackStatus, { silent, health }: Probed) => ({
  ...status,
  silent: Object.fromEntries(silent),
  health: typeof health === 'string' ? { unknown: health } : healthJson(health),
})

/** What has been started and does not answer is not ready, whatever its supervisor thinks. */
function rowOf(status: ProcessStatus, silent: boolean): (string | number)[] {
  const { name, identity, state, since, restarts, lastExit, ports, kind } = status
  const memory = identity && residentBytes(identity.pid)
  return [
    name,
    identity ? String(identity.pid) : '',
    silent && state === 'ready' ? 'no answer' : state,
    age(Date.now() - Date.parse(since)),
    restarts,
    lastExit ?? (kind === 'step' ? '' : 'never'),
    ports?.[0] === undefined ? '' : String(ports[0]),
    memory === undefined ? '' : `${Math.round(memory / 2 ** 20)} MB`,
  ]
}
