// Asks the service in this container: `node infra/monitor/probe.ts /live`. The exit code is 0 if the answer is 200.
import { loadConfig } from '../config.ts'
import { describeError } from '../errors.ts'

const path = process.argv[2] ?? '/live'
const { port } = loadConfig().monitor
try {
  const { status } = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(2_000) })
  process.stdout.write(`${path}: ${status}\n`)
  process.exitCode = status === 200 ? 0 : 1
} catch (error) {
  process.stdout.write(`${path}: ${describeError(error)}\n`)
  process.exitCode = 1
}
