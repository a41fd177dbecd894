/** Reads the parameters of a measured program: JSON in its last argument. */
export const readParameters = <Order>(): Order => JSON.parse(process.argv[2] ?? '{}') as Order

/**
 * Starts measuring in a measured program. Call the returned function when the work is done. Both write a line of JSON to
 * standard output for `runProgram`; programs in other languages write the same lines.
 */
export function startMeasuring(): (events: number, counts?: Readonly<Record<string, number>>) => void {
  const [cpu, startedAt] = [process.cpuUsage(), performance.now()]
  process.stdout.write('{"started":true}\n')
  return (events, counts = {}) => {
    const seconds = (performance.now() - startedAt) / 1_000
    const { user, system } = process.cpuUsage(cpu)
    process.stdout.write(`${JSON.stringify({ events, seconds, cpuSeconds: (user + system) / 1e6, counts })}\n`)
  }
}
