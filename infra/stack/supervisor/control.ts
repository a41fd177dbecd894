import { chmodSync, openSync, rmSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { describeError, isTallyError, TallyError } from '../../errors.ts'
import type { ErrorCode } from '../../errors.ts'

/** The commands of a running supervisor by name; argument and answer are JSON. */
export type ControlHandlers = Readonly<Record<string, (argument: unknown) => unknown>>

/** Answers `POST /<command>` on `<dataDir>/run/control.sock`, for processes of the same user only. */
export async function serveControl(dataDir: string, handlers: ControlHandlers): Promise<{ close(): void }> {
  const path = socketPath(dataDir)
  rmSync(path, { force: true }) // Left by a killed supervisor: this process holds the lock of the data folder
  const server = createServer(async (asker, answer) => {
    const reply = (status: number, body: unknown) =>
      answer.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body ?? null))
    const handler = handlers[asker.url?.slice(1) ?? '']
    if (!handler) return reply(404, null)
    try {
      reply(200, await handler(await json(asker)))
    } catch (error) {
      reply(500, { error: describeError(error), code: isTallyError(error) ? error.code : undefined })
    }
  })
  await new Promise<void>((listening, failed) => server.once('error', failed).listen(path, listening))
  chmodSync(path, 0o600)
  return {
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/**
 * Sends a command to the running supervisor.
 * @throws TallyError UNREACHABLE when no supervisor answers in time; PRECONDITION_FAILED when it does not know the command;
 *   the supervisor's own error when it refuses or fails
 */
export async function askSupervisor(
  dataDir: string,
  command: string,
  { withinMs, argument = null }: { withinMs: number; argument?: unknown },
): Promise<unknown> {
  const signal = AbortSignal.timeout(withinMs)
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) =>
      request({ socketPath: socketPath(dataDir), path: `/${command}`, method: 'POST', signal, agent: false }, resolve)
        .once('error', reject)
        .end(JSON.stringify(argument)),
    )
    const body = await json(answer)
    if (answer.statusCode === 200) return body
    if (answer.statusCode === 404)
      throw new TallyError(
        'PRECONDITION_FAILED',
        `The stack of ${dataDir} does not know "${command}": another version of Tally started it. Stop and start it again`,
      )
    const { error, code } = body as { error: string; code?: ErrorCode }
    throw code ? new TallyError(code, error) : new Error(error)
  } catch (error) {
    if (isTallyError(error)) throw error
    throw new TallyError('UNREACHABLE', `The supervisor of ${dataDir} does not answer: ${describeError(error)}`, {
      cause: error,
    })
  }
}

/** A socket address holds 107 bytes; a longer path is reached through an open descriptor of its folder. */
function socketPath(dataDir: string): string {
  const path = join(dataDir, 'run', 'control.sock')
  return Buffer.byteLength(path) <= 107 ? path : `/proc/self/fd/${openSync(join(dataDir, 'run'), 'r')}/control.sock`
}
