/**
 * What a process hears of changes that others commit. A notice only says that it is time to look: any may be lost, and
 * then the change is found by the next look.
 */
export interface Notices {
  /** Whether notices arrive at present. While they do not, look often. */
  readonly heard: boolean
  /**
   * @param told called after each notice, and whenever some may have been lost or `heard` has changed
   * @returns ends the calls
   */
  subscribe(told: () => void): () => void
}

/** For a process that hears nothing: it looks often. */
export const noNotices: Notices = { heard: false, subscribe: () => () => {} }
