import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { createServer as createTlsServer } from 'node:tls'
import { createAuthority, issueCertificate } from '../../../infra/security/certificates.ts'

/** What a server of others does with a request. */
export type Mood = 'accepts' | 'refuses' | 'breaks' | 'babbles' | 'denies'

export interface Listening extends AsyncDisposable {
  readonly port: number
}

/** Gateway and carrier in one: whatever goes wrong, its answer repeats all it was told. */
export async function tactlessServer(): Promise<
  Listening & { mood: Mood; readonly asked: { path: string; headers: IncomingHttpHeaders; body: string }[] }
> {
  const asked: { path: string; headers: IncomingHttpHeaders; body: string }[] = []
  const state = { mood: 'accepts' as Mood, asked }
  const server = await listening(async (request, response) => {
    const [path, body] = [request.url ?? '', await text(request)]
    asked.push({ path, headers: request.headers, body })
    const told = JSON.stringify({ error: `${JSON.stringify(request.headers)} ${body}` })
    const now = Date.now()
    const accepted = path.endsWith('/shipments')
      ? {
          ...{ carrier: 'parcel', trackingNumber: `t-${now}`, labelUrl: 'http://127.0.0.1/label' },
          ...{ pickupFrom: now, pickupUntil: now + 1, scheduledAt: now },
        }
      : path.endsWith('/capture')
        ? { captureId: `c-${now}`, capturedAt: now }
        : path.endsWith('/void')
          ? { voidedAt: now }
          : { authorizationId: `a-${now}-${asked.length}`, authorizedAt: now }
    const answers: Readonly<Record<Mood, readonly [number, string]>> = {
      accepts: [path.endsWith('/void') ? 200 : 201, JSON.stringify(accepted)],
      refuses: path.endsWith('/shipments')
        ? [422, JSON.stringify({ code: 'unknown_address', detail: `Cannot deliver to ${body}`, refusedAt: now })]
        : [402, JSON.stringify({ code: 'card_declined', declinedAt: now })],
      breaks: [500, told],
      babbles: [201, told],
      denies: [401, told],
    }
    const [status, answer] = answers[state.mood]
    response.writeHead(status, { 'content-type': 'application/json' }).end(answer)
  })
  return Object.assign(state, server)
}

/** An OpenTelemetry collector that keeps what it is sent, as JSON, and the headers of each request. */
export async function keepingCollector(): Promise<
  Listening & { readonly bodies: string[]; readonly headers: IncomingHttpHeaders[] }
> {
  const [bodies, headers]: [string[], IncomingHttpHeaders[]] = [[], []]
  const server = await listening(async (request, response) => {
    headers.push(request.headers)
    bodies.push(await text(request))
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  return Object.assign({ bodies, headers }, server)
}

/** A server whose certificate is for another name, by an authority that nobody knows. */
export async function startImpostor(): Promise<Listening> {
  const { certificate: cert, key } = await issueCertificate(await createAuthority('nobody'), {
    ...{ name: 'x', hosts: ['elsewhere.example'] },
  })
  const server = createTlsServer({ cert, key }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close()
      await once(server, 'close')
    },
  }
}

async function listening(answer: RequestListener): Promise<Listening> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
