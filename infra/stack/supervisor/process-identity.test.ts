import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from '@jest/globals'
import { end, identify, isAlive, residentBytes } from './process-identity.ts'
import type { ProcessIdentity } from './process-identity.ts'

const start = async (code: string) => {
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return { child, identity: identify(child.pid as number) as ProcessIdentity }
}

test('a process is known by pid and start time, whatever its name', async () => {
  const { child, identity } = await start('process.title = "a) R (b c"; console.log(1); setInterval(() => {}, 1e3)')
  expect(isAlive(identity)).toBe(true)
  expect(isAlive({ ...identity, startTime: '1' })).toBe(false)
  expect(residentBytes(identity.pid)).toBeGreaterThan(1_000_000)
  child.kill()
  await once(child, 'exit')
  expect(isAlive(identity)).toBe(false)
  expect(identify(identity.pid)).toBeUndefined()
})

test('a process that ignores the signal is killed after the deadline', async () => {
  const { identity } = await start('process.on("SIGTERM", () => {}); console.log(1); setInterval(() => {}, 1e3)')
  await end(identity, 'SIGTERM', 50)
  expect(isAlive(identity)).toBe(false)
})
