import { createServer } from 'node:net'
import { TallyError } from '../../errors.ts'

/** @throws TallyError PORT_TAKEN when another process listens on this port of 127.0.0.1 */
export async function assertPortFree(port: number, title: string): Promise<void> {
  const probe = createServer()
  try {
    await new Promise<void>((free, taken) => probe.once('error', taken).listen({ port, host: '127.0.0.1' }, free))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new TallyError(
      'PORT_TAKEN',
      `Port ${port}, needed by ${title}, is in use: stop the process that listens there, or choose other ports with TALLY_PORT_BASE`,
    )
  } finally {
    await new Promise<void>((done) => probe.close(() => done()))
  }
}
