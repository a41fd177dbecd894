import { TallyError } from './errors.ts'

/**
 * The address of an HTTP server, which may name a user: `https://user:password@host/path`. A password without a user is a
 * bearer token.
 */
export interface ServerAddress {
  /** Without user and password: `fetch` refuses them in an address, and no text may show them. */
  readonly url: string
  readonly user: { readonly username: string; readonly password: string } | undefined
  /** What a request needs to identify itself: basic authentication or a bearer token; empty without either. */
  readonly headers: { readonly authorization?: string }
}

/** @throws TypeError if it is no URL */
export function readAddress(address: string): ServerAddress {
  const url = new URL(address)
  if (url.username === '' && url.password === '') return { url: address, user: undefined, headers: {} }
  const user = { username: decoded(url.username), password: decoded(url.password) }
  url.username = ''
  url.password = ''
  const plain = url.href.replace(/\/$/, '')
  if (user.username === '')
    return { url: plain, user: undefined, headers: { authorization: `Bearer ${user.password}` } }
  const authorization = `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}`
  return { url: plain, user, headers: { authorization } }
}

/** An address with a bearer token, as `readAddress` reads it. The token travels with the address, which no text shows whole. */
export function withToken(address: string | undefined, token: string | undefined): string | undefined {
  if (address === undefined || token === undefined) return address
  const url = new URL(address)
  url.password = encodeURIComponent(token)
  return url.href.replace(/\/$/, '')
}

/** An address with the user or token of another one. */
export function withCredentialsOf(address: string, other: string): string {
  const [url, { username, password }] = [new URL(address), new URL(other)]
  return Object.assign(url, { username, password }).href.replace(/\/$/, '')
}

/** Whether an HTTP status says that this process may not ask at all: asking again does not help. */
export const isDenial = (status: number | undefined): boolean => status === 401 || status === 403

/** @param setting the variable that names the server's address */
export const denied = (server: string, status: number | undefined, setting: string): TallyError =>
  new TallyError(
    'DENIED',
    `${server} refuses access (${status}): correct the user and password, or token, in ${setting}, then restart`,
  )

/** A user or password of an address, as it was meant. A percent sign that encodes nothing stands for itself. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
