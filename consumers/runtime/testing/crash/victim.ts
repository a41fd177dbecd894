// A replica that kills itself; `crashAtEveryStep` starts it as a separate process. Arguments: the consumer's module and the
// replica's name. It loads, then waits for the command to start, so that no try waits for the loading.
import { once } from 'node:events'
import { runService } from '../../../../infra/service.ts'
import { createCodec } from '../../../../schemas/codec/codec.ts'
import type { CrashPoint, PassedStep } from './plan.ts'
import { loadDefinition, startReplica } from './replica.ts'

const [path = '', name = ''] = process.argv.slice(2)

await runService(name, async ({ config, log, signal }) => {
  const definition = await loadDefinition(path, config)
  const codec = await createCodec({ registryUrl: config.registry.url, namespace: config.namespace, log, signal })
  const [{ crash }] = (await once(process, 'message', { signal })) as [{ crash?: CrashPoint }]
  const die = () => process.kill(process.pid, 'SIGKILL')
  const passings = new Map<string, number>()
  const passed = (step: string) => {
    const passing = (passings.get(step) ?? 0) + 1
    passings.set(step, passing)
    // Nothing in this process runs after this, neither handlers nor open writes
    if (step === crash?.step && passing === crash.passing) die()
  }
  const running = await startReplica({ definition, config, codec, log, name, passed })
  process.send?.({ type: 'started' })
  return {
    async stop() {
      await running.stop()
      const steps: PassedStep[] = [...passings].map(([step, times]) => ({ step, times }))
      await new Promise((sent) => process.send?.({ type: 'passed', steps }, sent))
    },
  }
})
