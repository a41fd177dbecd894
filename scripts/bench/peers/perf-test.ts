import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { TallyError } from '../../../infra/errors.ts'
import { fetchJars } from '../../../infra/stack/servers/jars.ts'
import { findJdk } from '../../../infra/stack/servers/java.ts'
import type { Ground, Repeat } from '../benchmark.ts'

/** Clock ticks of /proc are hundredths of a second on every Linux. Source: proc(5), `USER_HZ`. */
const ticksPerSecond = 100

/** The classes of `kafka-consumer-perf-test` and `kafka-producer-perf-test`. */
export type PerfTool = 'ConsumerPerformance' | 'ProducerPerformance'

/**
 * Runs one of Kafka's performance tools. Its CPU time includes the start of the JVM.
 * @param perSecond extracts the rate from the output
 * @throws TallyError INVARIANT with the output if it fails
 */
export async function perfTest(
  { sandbox: { config, env }, events, signal }: Ground,
  tool: PerfTool,
  args: readonly string[],
  perSecond: (printed: string) => number,
): Promise<Repeat> {
  const jdk = findJdk(config.java)
  const { kafka } = await fetchJars(jdk, (line) => process.stderr.write(`${line}\n`))
  const cpuBefore = cpuOfChildren()
  const child = spawn(jdk.java, ['-Xmx512m', '-cp', kafka.join(':'), `org.apache.kafka.tools.${tool}`, ...args], {
    ...{ env, signal },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.on('error', () => {}) // Reported by its exit
  const [printed, complaints] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  signal.throwIfAborted()
  const rate = perSecond(printed)
  if (child.exitCode !== 0 || !(rate > 0))
    throw new TallyError('INVARIANT', `${tool} ended with ${child.exitCode}: ${(printed + complaints).slice(-2_000)}`)
  return { perSecond: rate, cpuPerEvent: (cpuOfChildren() - cpuBefore) / events }
}

/** CPU time of the ended children, seconds. Only one runs at a time. Source: proc(5), fields 16 and 17. */
function cpuOfChildren(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond
}
