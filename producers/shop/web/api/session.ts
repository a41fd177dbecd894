import { Stored } from '../model/stored.ts'

/** The bearer token of a secured stack, for this tab only. */
const token = new Stored<string | null>('token', null, () => sessionStorage)
/** The customer of a shop that asks nobody who they are: one per browser. */
const guest = new Stored<string | null>('customer', null, () => localStorage)
const asked = new Stored<boolean>('sign-in', false, () => sessionStorage)

export const session = {
  token: token.get,
  useToken: token.use,
  /** Whether the API has refused a request for want of a token. */
  useSignInAsked: asked.use,

  signIn(given: string): void {
    token.set(given.trim())
    asked.set(false)
  },

  signOut(): void {
    token.clear()
    asked.set(true)
  },

  /** The API did not accept the token, or wants one. */
  refused(): void {
    token.clear()
    asked.set(true)
  },

  /** Who orders: the subject of the token, as the API demands, or the guest of this browser. */
  customerId(): string {
    const subject = subjectOf(token.get())
    if (subject !== undefined) return subject
    const known = guest.get()
    if (known !== null) return known
    const made = `shop-${randomId()}`
    guest.set(made)
    return made
  },
}

/** A token may come with a link, behind `#`: that part of an address reaches no server and no log. */
export function takeTokenFromAddress(): void {
  const given = new URLSearchParams(location.hash.slice(1)).get('token')
  if (given === null) return
  session.signIn(given)
  history.replaceState(null, '', location.pathname + location.search)
}

/** Also where the page is not served over TLS, so without `crypto.randomUUID`. */
export const randomId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('')

/** `sub` of a token. Nothing is verified: the API does that. */
export function subjectOf(text: string | null): string | undefined {
  try {
    const [, payload = ''] = (text ?? '').split('.')
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0))
    const { sub } = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown }
    return typeof sub === 'string' ? sub : undefined
  } catch {
    return undefined
  }
}
