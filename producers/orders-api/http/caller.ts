import { createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'
import type { JWTPayload } from 'jose'
import type { Config } from '../../../infra/config.ts'
import { describeError, TallyError } from '../../../infra/errors.ts'
import { scopes } from '../../../infra/security/access-token.ts'
import type { Scope } from '../../../infra/security/access-token.ts'

/** Who sends a request, and what they may do. */
export interface Caller {
  /** `sub` of the token: the customer whose orders are their own. Undefined without authentication. */
  readonly subject: string | undefined
  /** From then on the token is refused, epoch ms. Undefined without authentication. */
  readonly endsAt?: number
  readonly may: (scope: Scope) => boolean
}

/** What an operation needs. Any of the scopes gives access; `open`: without a token; `any`: with a token, whatever its scopes. */
export type Access = readonly [Scope, ...Scope[]] | 'open' | 'any'

/** Without authentication everybody may do everything: the API is reachable from this machine only. */
export const anybody: Caller = { subject: undefined, may: () => true }

/** Whether a caller may know of an order, given its customer. */
export const mayKnow = ({ subject, may }: Caller, customerId: string | null): boolean =>
  may('orders:any') || (may('orders:own') && subject !== undefined && subject === customerId)

/** Why a token is not accepted; the text may be shown to its holder. */
export class NotAuthenticated extends Error {}

export type Authenticate = (authorization: string | undefined) => Promise<Caller>

/** Only signatures with a public key: with a shared secret, who can verify can also sign. */
const algorithms = ['EdDSA', 'Ed25519', 'ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
const clockToleranceS = 5

/**
 * Verifies bearer tokens (RFC 6750): signature, issuer, audience and lifetime.
 * @returns a function that throws NotAuthenticated; TallyError UNREACHABLE if the key set cannot be had
 * @throws TallyError CONFIG_INVALID if the key cannot be read
 */
export function createAuthenticate(settings: NonNullable<Config['api']['authentication']>): Authenticate {
  const { keyFile, jwksUrl, issuer, audience } = settings
  const options = {
    ...{ issuer, audience, algorithms, clockTolerance: clockToleranceS },
    requiredClaims: ['sub', 'exp'],
  }
  const remote = jwksUrl === undefined ? undefined : createRemoteJWKSet(new URL(jwksUrl))
  const local = keyFile === undefined ? undefined : readKey(keyFile)
  const verify = async (token: string): Promise<JWTPayload> => {
    if (local) return (await jwtVerify(token, local, options)).payload
    if (remote) return (await jwtVerify(token, remote, options)).payload
    throw new TallyError('INVARIANT', 'authentication without a key')
  }
  return async (authorization) => {
    const [, token] = /^Bearer ([\w.~+/-]+=*)$/i.exec(authorization ?? '') ?? []
    if (token === undefined) throw new NotAuthenticated('Send a bearer token in the Authorization header.')
    const {
      sub = '',
      exp = 0,
      ...claims
    } = await verify(token).catch((error: unknown) => {
      throw refusalOf(error, jwksUrl)
    })
    const given = scopesOf(claims)
    return { subject: sub, endsAt: (exp + clockToleranceS) * 1_000, may: (scope) => given.has(scope) }
  }
}

function readKey(file: string): KeyObject {
  try {
    return createPublicKey(readFileSync(file))
  } catch (error) {
    throw new TallyError('CONFIG_INVALID', `Configuration: TALLY_API_KEY_FILE: ${describeError(error)}`)
  }
}

/** The text says nothing about the key. */
function refusalOf(error: unknown, jwksUrl: string | undefined): Error {
  if (error instanceof errors.JWTExpired) return new NotAuthenticated('The token has expired.')
  if (error instanceof errors.JWTClaimValidationFailed)
    return new NotAuthenticated(`The token is for another service, or not valid yet (${error.claim}).`)
  // Without an answer of the identity provider nothing is known about the token
  if (
    error instanceof errors.JWKSTimeout ||
    error instanceof errors.JWKSInvalid ||
    !(error instanceof errors.JOSEError) ||
    error.code === 'ERR_JOSE_GENERIC'
  )
    return new TallyError('UNREACHABLE', `The key set at ${jwksUrl} cannot be had`, { cause: error })
  return new NotAuthenticated('The token is not valid.')
}

/** `scope`, a text, as RFC 8693 has it, or `scp`, a list, as some identity providers do. */
function scopesOf({ scope, scp }: JWTPayload): ReadonlySet<Scope> {
  const named = typeof scope === 'string' ? scope.split(' ') : Array.isArray(scp) ? scp : []
  return new Set(scopes.filter((known) => named.includes(known)))
}
