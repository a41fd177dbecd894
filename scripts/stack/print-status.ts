import { residentBytes } from '../../infra/stack/process-identity.ts'
import type { ProcessStatus, StackStatus } from '../../infra/stack/stack-record.ts'
import { printTable, say } from '../cli.ts'
import { sayAddresses } from './addresses.ts'

/** The stack as a table: what runs, since when, how often it was restarted. */
export function printStatus(status: StackStatus): void {
  say(`${status.state}, supervised by process ${status.supervisor.pid}`)
  sayAddresses(status)
  const head = ['process', 'pid', 'state', 'for', 'restarts', 'last exit', 'port', 'memory']
  printTable(head, status.processes.map(rowOf))
}

function rowOf({ name, identity, state, since, restarts, lastExit, ports }: ProcessStatus): string[] {
  const memory = identity && residentBytes(identity.pid)
  return [
    name,
    identity ? String(identity.pid) : '',
    state,
    age(Date.now() - Date.parse(since)),
    String(restarts),
    lastExit ?? '',
    ports?.[0] === undefined ? '' : String(ports[0]),
    memory === undefined ? '' : `${Math.round(memory / 2 ** 20)} MB`,
  ]
}

/** 12 s, 3 min, 5 h, 2 d */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`
}
