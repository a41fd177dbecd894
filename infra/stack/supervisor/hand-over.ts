import type { ChildProcess, SendHandle } from 'node:child_process'
import { once } from 'node:events'
import type { Server } from 'node:net'
import { settlesWithin } from '../../promises.ts'

/**
 * The listening socket itself, without the object that accepts from it. Node.js passes it between processes, but documents only
 * passing a whole `net.Server`, which would accept connections in the supervisor, too.
 */
export type ListeningSocket = SendHandle & { close(): void }

/** Argument of a process whose supervisor sends it a listening socket. */
export const inheritsArgument = '--inherit-listener'

const withinMs = 5_000

/** In a service: gives the socket on which it listens to its supervisor whenever that asks. It goes on listening itself. */
export function offerListener(server: Server): void {
  if (!process.send) return
  process.on('message', ({ type }: { type?: string }) => {
    if (type !== 'hand over') return
    const { _handle: socket } = server as unknown as { _handle: SendHandle | null }
    if (socket) process.send?.({ type: 'listener' }, socket)
  })
}

/**
 * In a service: the socket that its supervisor passes on from its predecessor. Connections that wait in it are those of both,
 * so none is lost when one of them closes it.
 * @returns undefined if it has no predecessor
 */
export async function inheritListener(args: readonly string[] = process.argv): Promise<ListeningSocket | undefined> {
  if (!args.includes(inheritsArgument)) return undefined
  const socket = Promise.withResolvers<ListeningSocket>()
  const take = ({ type }: { type?: string }, handle: unknown) => {
    if (type === 'listener' && handle) socket.resolve(handle as ListeningSocket)
  }
  process.on('message', take)
  return socket.promise.finally(() => process.off('message', take))
}

/** In the supervisor: asks a process for the socket on which it listens. @returns undefined if it gives none in time */
export async function takeListener(child: ChildProcess): Promise<ListeningSocket | undefined> {
  const taking = new AbortController()
  const taken = (async () => {
    for (;;) {
      const [message, handle] = (await once(child, 'message', { signal: taking.signal })) as [
        { type?: string },
        ListeningSocket | undefined,
      ]
      if (message.type === 'listener') return handle
    }
  })()
  child.send({ type: 'hand over' }, () => {}) // A process that has just ended gives none
  const inTime = await settlesWithin(taken, withinMs).catch(() => false)
  taking.abort()
  return inTime ? taken : undefined
}

/** In the supervisor: passes the socket to the successor and closes its own end. */
export function giveListener(child: ChildProcess, socket: ListeningSocket): void {
  child.send({ type: 'listener' }, socket, () => socket.close()) // Also if it has just ended
}
