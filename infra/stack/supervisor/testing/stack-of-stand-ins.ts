// A supervisor in its own process, for tests that kill it: a server, and a service that needs it.
import { loadStackConfig } from '../data-dir.ts'
import { startStack } from '../supervisor.ts'
import { standIn } from './stand-ins.ts'

const stack = await startStack(loadStackConfig(), {
  processes: [standIn('server', { kind: 'server' }), standIn('service', { after: ['server'] })],
})
process.send?.(stack ? 'started' : 'running already')
await stack?.ended
process.disconnect?.()
