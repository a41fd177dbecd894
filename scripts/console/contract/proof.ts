/** Feed `proof`. */
export interface ProofPage {
  /** Job that is checking now. */
  running: string | null
  last: Proof | null
}

export interface Proof {
  /** When it began. */
  at: string
  ok: boolean
  /** Orders by state. */
  orders: Readonly<Record<string, number>>
  findings: readonly Finding[]
  /** Consumers without tables, which were not checked. */
  undeployed: readonly string[]
}

export interface Finding {
  id: string
  invariant: string
  figures: string
  violations: number
  examples: readonly string[]
  /** All violations and notices. */
  reported: number
}
