/** What can happen to a connection. */
export type Fault =
  | { kind: 'cut' } // closed, and no new one
  | { kind: 'reset' } // the same, without a goodbye: RST
  | { kind: 'stall' } // stays open, nothing goes through
  | { kind: 'drop-answers' } // requests arrive and take effect, their answers are lost
  | { kind: 'slow'; latencyMs: number; jitterMs?: number; bytesPerSecond?: number } // every piece arrives late
  | { kind: 'http-error'; status: number } // every request is answered with this, the server sees none of them

export type FaultKind = Fault['kind']
