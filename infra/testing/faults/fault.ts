/** Faults of a connection. */
export type Fault =
  | { kind: 'cut' } // Closed, and new ones are refused
  | { kind: 'reset' } // The same, with RST
  | { kind: 'stall' } // Stays open, but forwards nothing
  | { kind: 'drop-answers' } // Requests arrive, answers are lost
  | { kind: 'slow'; latencyMs: number; jitterMs?: number; bytesPerSecond?: number } // Every chunk is delayed
  | { kind: 'http-error'; status: number } // Every request is answered with this status, and does not reach the server

export type FaultKind = Fault['kind']
