/** What a measured program is told, as JSON on its command line. */
export const readOrder = <Order>(): Order => JSON.parse(process.argv[2] ?? '{}') as Order

/**
 * For a measured program: call it when the work begins, and what it returns when the work is done. Both are lines of JSON
 * on standard output, which `runProgram` reads; a program in another language writes the same.
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
