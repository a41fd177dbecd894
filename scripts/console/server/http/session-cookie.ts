import type { CookieOptions } from 'express'

/**
 * Scripts cannot read it, and requests that another site causes do not carry it. Cookies do not tell the ports of a host
 * apart, so a server on another port gets it, too, if the browser asks it for a path below `/api`. Not `secure`: the console
 * speaks HTTP on the loopback interface, where not every browser would keep it.
 */
export const sessionCookie: CookieOptions = { path: '/api', httpOnly: true, sameSite: 'strict', encode: String }

/** Consoles on several ports of a host, each with its own. */
export const cookieName = (port: number): string => `tally-console-${port}`

/** The different values of the cookies with this name: another server of the host may have set one, too. */
export function cookiesNamed(name: string, header = ''): string[] {
  const pairs = header.split(';').map((pair) => pair.trim())
  return [...new Set(pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1)))]
}
