import { readdirSync, readFileSync } from 'node:fs'
import { residentBytes } from '../../infra/stack/supervisor/process-identity.ts'

/** Memory of a process and its descendants, bytes. */
export interface Usage {
  /** Proportional set size: a page shared by n processes counts 1/n, so PostgreSQL's buffers count once. */
  proportional: number
  /** Unique set size: pages that no other process shares. */
  own: number
}

/** @returns undefined for a process that has ended */
export function usageOf(roots: ReadonlyMap<string, number>): Map<string, Usage> {
  const children = childrenOf()
  const family = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap(family)]
  return new Map(
    [...roots].flatMap(([name, root]): [string, Usage][] => {
      if (residentBytes(root) === undefined) return []
      const pids = family(root)
      const rollup = (field: RegExp) => pids.reduce((total, pid) => total + rollupBytes(pid, field), 0)
      return [[name, { proportional: rollup(/^Pss$/), own: rollup(/^Private_/) }]]
    }),
  )
}

/** Processor seconds of processes and their descendants so far, those that have ended and were waited for included. */
export function cpuOf(roots: ReadonlyMap<string, number>): Map<string, number> {
  const children = childrenOf()
  const family = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap(family)]
  return new Map(
    [...roots].map(([name, root]) => [name, family(root).reduce((sum, pid) => sum + cpuSeconds(pid), 0)] as const),
  )
}

/** Its own time and that of its ended children, in hundredths of a second: fields 14 to 17 of proc(5). */
function cpuSeconds(pid: number): number {
  const fields = readProc(pid, 'stat')
    ?.replace(/^.*\) /s, '')
    .split(' ')
  return (fields ?? []).slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100
}

function childrenOf(): Map<number, number[]> {
  const children = new Map<number, number[]>()
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const parent = Number(
      readProc(pid, 'stat')
        ?.replace(/^.*\) \S /s, '')
        .split(' ')[0],
    ) // The process name may contain both
    children.set(parent, [...(children.get(parent) ?? []), Number(pid)])
  }
  return children
}

/** The sum of the fields of this name; 0 for a process that has ended. */
function rollupBytes(pid: number, field: RegExp): number {
  const lines = (readProc(pid, 'smaps_rollup') ?? '').matchAll(/^(\w+):\s+(\d+) kB/gm)
  return [...lines].reduce(
    (sum, [, name = '', kilobytes]) => sum + (field.test(name) ? Number(kilobytes) * 1024 : 0),
    0,
  )
}

/** Source: proc(5). */
function readProc(pid: number | string, file: 'stat' | 'smaps_rollup'): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return undefined // Has ended since it was listed
  }
}
