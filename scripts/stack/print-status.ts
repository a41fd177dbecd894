import { residentBytes } from '../../infra/stack/supervisor/process-identity.ts'
import type { ProcessStatus, StackStatus } from '../../infra/stack/supervisor/stack-record.ts'
import { bytes, count } from '../cli/figures.ts'
import type { Report } from '../cli/report.ts'
import { age } from '../../consumers/operations/age.ts'
import { healthJson, healthReport } from '../lanes/print-health.ts'
import { addressLines } from './addresses.ts'
import type { Probed } from './probe-stack.ts'

/** A process with its memory in bytes, undefined if it does not run. */
export type MemoryOf = (pid: number) => number | undefined

/** Processes that start, wait for others or come back after a crash. Those that have failed are named apart. */
export const notReady = ({ processes }: StackStatus): string[] =>
  processes.filter(({ state }) => !['ready', 'done', 'failed', 'stopped'].includes(state)).map(({ name }) => name)

/** Reports every process with its state and restarts, then the health of the consumers. */
export function statusReport(
  status: StackStatus,
  { silent, health }: Probed,
  { memoryOf = residentBytes, now = Date.now() }: { memoryOf?: MemoryOf; now?: number } = {},
): Report {
  const { processes, state, startedAt, supervisor } = status
  const failed = processes.filter((process) => process.state === 'failed').map(({ name }) => name)
  const unready = notReady(status)
  const answers = [
    ...(silent.size > 0 ? [`no answer from ${[...silent.keys()].join(', ')}`] : []),
    ...(unready.length > 0 ? [`not ready: ${unready.join(', ')}`] : []),
  ]
  const consumers: Partial<Report> =
    typeof health === 'string' ? { parts: [`The health of the consumers is unknown. ${health}`] } : healthReport(health)
  return {
    verdict: [
      `The stack is ${state}: ${count(processes.length)} processes for ${age(now - Date.parse(startedAt))}, ${answers.join('; ') || 'everything answers'}.`,
      ...(failed.length > 0 ? [`Failed: ${failed.join(', ')}.`] : []),
      ...(consumers.verdict === undefined ? [] : [consumers.verdict]),
    ].join(' '),
    parts: [
      `${addressLines(status)}\n  supervisor  process ${supervisor.pid}`,
      {
        head: ['process', 'pid', 'state', 'for', 'restarts', 'port', 'memory', 'last exit'],
        rows: processes.map((process) => rowOf(process, silent.has(process.name), { memoryOf, now })),
      },
      [...silent.values()].join('\n'),
      ...(consumers.parts ?? []),
    ],
    next: consumers.next,
  }
}

export const statusJson = (status: StackStatus, { silent, health }: Probed) => ({
  ...status,
  silent: Object.fromEntries(silent),
  health: typeof health === 'string' ? { unknown: health } : healthJson(health),
})

/** The state of a process. One that does not answer is not ready, whatever the supervisor reports. */
function rowOf(
  status: ProcessStatus,
  silent: boolean,
  { memoryOf, now }: { memoryOf: MemoryOf; now: number },
): (string | number)[] {
  const { name, identity, state, since, restarts, lastExit, ports, kind } = status
  const memory = identity && memoryOf(identity.pid)
  return [
    name,
    identity ? String(identity.pid) : '',
    silent && state === 'ready' ? 'no answer' : state,
    age(now - Date.parse(since)),
    restarts,
    ports?.[0] === undefined ? '' : String(ports[0]),
    memory === undefined ? '' : bytes(memory),
    lastExit ?? (kind === 'step' ? '' : 'never'),
  ]
}
