/** An operator who is signed in, where the console asks for a token. */
export interface Session {
  /** Of the token. Their acts are audited under it. */
  subject: string
  /** ISO 8601. */
  endsAt: string
}

/** What a stream begins with. */
export interface Hello {
  /** Differs after each start of the server. */
  boot: string
  /** Who acts where nobody signs in and no other name is given. */
  actor: string
  /** Absent where the console asks for no token. */
  session?: Session | undefined
}
