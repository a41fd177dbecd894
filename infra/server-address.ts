import { TallyError } from './errors.ts'

/** The address of an HTTP server, which may name a user: `https://user:password@host/path`. */
export interface ServerAddress {
  /** Without user and password: `fetch` refuses them in an address, and no text may show them. */
  readonly url: string
  readonly user: { readonly username: string; readonly password: string } | undefined
  /** What a request needs to identify itself (HTTP basic authentication); empty without a user. */
  readonly headers: { readonly authorization?: string }
}

/** @throws TypeError if it is no URL */
export function readAddress(address: string): ServerAddress {
  const url = new URL(address)
  if (url.username === '' && url.password === '') return { url: address, user: undefined, headers: {} }
  const user = { username: decoded(url.username), password: decoded(url.password) }
  url.username = ''
  url.password = ''
  const authorization = `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}`
  return { url: url.href.replace(/\/$/, ''), user, headers: { authorization } }
}

/** Whether an HTTP status says that this process may not ask at all: asking again does not help. */
export const isDenial = (status: number | undefined): boolean => status === 401 || status === 403

/** @param setting the variable that names the server's address */
export const denied = (server: string, status: number | undefined, setting: string): TallyError =>
  new TallyError(
    'DENIED',
    `${server} refuses access (${status}): correct user and password in ${setting}, then restart`,
  )

/** A percent sign that encodes nothing stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
