import { readFile } from 'node:fs/promises'
import { isDenial } from '../server-address.ts'
import { TallyError } from '../errors.ts'
import { rememberSecret } from '../without-secrets.ts'

export interface TokenSourceOptions {
  /** File with the token; wins over the URL. */
  file?: string | undefined
  /** Token endpoint of an OAuth server. */
  url?: string | undefined
  scope?: string | undefined
  clientId: string
  clientSecret: string
}

/** A token is asked for again when a fifth of its life is left. */
const useUpTo = 0.8
const patienceMs = 5_000

/**
 * Gives the token for a login: what its file holds now, or one from a token endpoint (client credentials, RFC 6749 section
 * 4.4), which is kept for most of its life.
 * @returns what kafkajs calls for every connection; it throws TallyError DENIED or UNREACHABLE
 */
export function createTokenSource({ file, url, scope, clientId, clientSecret }: TokenSourceOptions) {
  let forget = () => {}
  const secret = (value: string): string => {
    forget()
    forget = rememberSecret(value)
    return value
  }
  if (file !== undefined) return async () => ({ value: secret((await readFile(file, 'utf8')).trim()) })
  const basic = [clientId, clientSecret].map(encodeURIComponent).join(':')
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...(scope && { scope }) })
  let kept: { value: Promise<string>; until: number } | undefined

  const ask = async (): Promise<string> => {
    const began = performance.now()
    const answer = await fetch(url ?? '', {
      method: 'POST',
      body,
      headers: { authorization: `Basic ${Buffer.from(basic).toString('base64')}` },
      signal: AbortSignal.timeout(patienceMs),
    }).catch((cause: unknown) => {
      throw new TallyError('UNREACHABLE', `The token endpoint ${url} does not answer`, { cause })
    })
    if (isDenial(answer.status) || answer.status === 400)
      throw new TallyError(
        'DENIED',
        `The token endpoint ${url} refuses the client (${answer.status}): correct TALLY_KAFKA_USER and TALLY_KAFKA_PASSWORD, then restart`,
      )
    const given = (await answer.json().catch(() => ({}))) as { access_token?: unknown; expires_in?: unknown }
    if (!answer.ok || typeof given.access_token !== 'string')
      throw new TallyError('UNREACHABLE', `The token endpoint ${url} answers ${answer.status} without a token`)
    if (kept) kept.until = began + Number(given.expires_in ?? 0) * 1_000 * useUpTo
    return secret(given.access_token)
  }
  return async (): Promise<{ value: string }> => {
    if (!kept || performance.now() > kept.until) {
      kept = { value: Promise.resolve(''), until: Infinity } // Others wait for the same answer
      kept.value = ask()
      kept.value.catch(() => (kept = undefined))
    }
    return { value: await kept.value }
  }
}
