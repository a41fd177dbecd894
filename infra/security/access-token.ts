import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { SignJWT } from 'jose'
import type { Config } from '../config.ts'
import { TallyError } from '../errors.ts'

/** What a token may give access to. */
export const scopes = ['orders:own', 'orders:any', 'catalogue:write', 'operations'] as const
export type Scope = (typeof scopes)[number]

export interface TokenRequest {
  /** The customer, or the name of an operator. */
  subject: string
  scopes: readonly Scope[]
  /** @default 3600 */
  lifeS?: number
  /** PEM file with the private key. @default that of a secured data folder */
  keyFile?: string | undefined
}

/**
 * Makes a bearer token for the orders API.
 * @throws TallyError PRECONDITION_FAILED if there is no key
 */
export async function mintToken(
  { api }: Pick<Config, 'api'>,
  { subject, scopes: given, lifeS = 3_600, keyFile }: TokenRequest,
) {
  const { signingKeyFile, issuer, audience } = api.client
  const file = keyFile ?? (api.authentication ? signingKeyFile : undefined)
  if (file === undefined)
    throw new TallyError(
      'PRECONDITION_FAILED',
      'This data folder has no key for tokens: start the stack with npm start -- --secure, name a key file, or get a token from your identity provider',
    )
  return new SignJWT({ scope: given.join(' ') })
    .setProtectedHeader({ alg: 'EdDSA' })
    .setSubject(subject)
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime(`${lifeS}s`)
    .sign(createPrivateKey(readFileSync(file)))
}

/** Commands renew their token before it ends, seconds. */
const commandLifeS = 3_600

/**
 * The token of a command for the orders API: TALLY_API_TOKEN, one made with the data folder's key, or none.
 * @returns a function that gives a token that is valid for a while; call it for every request
 */
export function commandToken(config: Pick<Config, 'api'>): () => Promise<string | undefined> {
  const { client, authentication } = config.api
  if (client.token !== undefined || !authentication || client.signingKeyFile === undefined)
    return async () => client.token
  let made: { token: Promise<string>; until: number } | undefined
  return async () => {
    if (!made || performance.now() > made.until) {
      const token = mintToken(config, { subject: 'operator', scopes, lifeS: commandLifeS })
      made = { token, until: performance.now() + (commandLifeS * 1_000) / 2 }
    }
    return made.token
  }
}
