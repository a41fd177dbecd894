import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

/** `npm run bridge` as a process of its own. */
export interface BridgeProcess extends AsyncDisposable {
  /** Ends it with SIGKILL. */
  kill(): Promise<void>
  /** The most memory that it has held, bytes. */
  peakBytes(): number
}

export function spawnBridge(
  { door, queue, prefetch }: { door: string; queue: string; prefetch: number },
  env: NodeJS.ProcessEnv,
): BridgeProcess {
  const args = ['scripts/bridge.ts', door, '--queue', queue, '--prefetch', String(prefetch)]
  const bridge = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
  const gone = once(bridge, 'exit')
  const kill = async () => {
    bridge.kill('SIGKILL')
    await gone
  }
  return {
    kill,
    // The high-water mark of proc(5)
    peakBytes: () => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${bridge.pid}/status`, 'utf8'))?.[1]) * 1024,
    [Symbol.asyncDispose]: kill,
  }
}
